package samples_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/test/samples"
)

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestOneTruthInTwoForms(t *testing.T) {
	scraped, err := samples.FromText(string(read(t, "testdata/scrape.txt")))
	if err != nil {
		t.Fatal(err)
	}
	pushed, err := samples.FromOTLP(read(t, "testdata/push.json"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(scraped, pushed); diff != "" || len(scraped) != 11 {
		t.Errorf("%d samples (-scraped +pushed):\n%s", len(scraped), diff)
	}
	want := samples.Samples{`pages_visited_total{http_response_status_code="200",k8s_namespace_name="shop",sonde_check_name="a \"quoted\" one"}`: 5}
	if diff := cmp.Diff(want, pushed.Of("pages_visited_total").With("k8s_namespace_name", "shop", "sonde_check_name", `a "quoted" one`)); diff != "" {
		t.Errorf("the counter (-want +got):\n%s", diff)
	}
	if got := pushed.With("namespace_name", "shop"); len(got) > 0 {
		t.Errorf("the end of a label's name finds %v", got)
	}
}

func TestTwoTruths(t *testing.T) {
	text := string(read(t, "testdata/push.json"))
	twice := strings.Replace(text, `{"asInt": "3"}`, `{"asInt": "3"}, {"asInt": "4"}`, 1)
	if _, err := samples.FromOTLP([]byte(twice)); err == nil || err.Error() != "queue_length is there twice" {
		t.Errorf("two values of one sample: %v", err)
	}
}
