package receiver_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/sonde-dev/sonde/receiver"
)

func TestReaderFacing(t *testing.T) {
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "sonde_check_ok 1\n") })
	handler := func(live, ready error) http.Handler {
		return receiver.ReaderFacing{
			Metrics: metrics, Log: slog.New(slog.DiscardHandler),
			Live: func() error { return live }, Ready: func() error { return ready },
		}.Handler()
	}
	healthy := handler(nil, nil)
	ill := handler(errors.New("the last commit was 2m ago"), errors.New("the informers are not synced"))

	for name, tc := range map[string]struct {
		handler http.Handler
		path    string
	}{
		"the index":         {healthy, "/"},
		"the exposition":    {healthy, "/metrics"},
		"live":              {healthy, "/livez"},
		"ready":             {healthy, "/readyz"},
		"not live":          {ill, "/livez"},
		"not ready":         {ill, "/readyz"},
		"nothing there":     {healthy, "/metrics/"},
		"reports elsewhere": {healthy, receiver.ResultsPath},
	} {
		t.Run(name, func(t *testing.T) {
			get := httptest.NewRecorder()
			tc.handler.ServeHTTP(get, httptest.NewRequest(http.MethodGet, tc.path, nil))
			golden(t, "reader/"+fileName(name), show(t, get))

			server := httptest.NewServer(tc.handler) // net/http takes the body of a HEAD away
			defer server.Close()
			head, err := http.Head(server.URL + tc.path)
			if err != nil {
				t.Fatal(err)
			}
			defer head.Body.Close()
			if head.StatusCode != get.Code {
				t.Errorf("HEAD is answered %d, GET %d", head.StatusCode, get.Code)
			}
		})
	}
}
