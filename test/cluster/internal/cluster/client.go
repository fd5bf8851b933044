package cluster

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// client speaks to the API server with what net/http has: client-go would make
// this module, and so each `go run` of it, many times heavier.
type client struct {
	http *http.Client
}

func newClient(l Layout) (client, error) {
	ca, err := os.ReadFile(l.Path("pki", "ca.crt"))
	if err != nil {
		return client{}, err
	}
	pair, err := tls.LoadX509KeyPair(l.Path("pki", "admin.crt"), l.Path("pki", "admin.key"))
	if err != nil {
		return client{}, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}}}
	return client{http: &http.Client{Transport: transport, Timeout: 10 * time.Second}}, nil
}

// get reads an object; into may be nil.
func (c client) get(ctx context.Context, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, apiURL()+path, http.NoBody)
	if err != nil {
		return err
	}
	return c.do(request, into)
}

// apply sends an object by server-side apply, whether it is there or not.
func (c client) apply(ctx context.Context, path string, object map[string]any) error {
	body, err := json.Marshal(object)
	if err != nil {
		return err
	}
	url := apiURL() + path + "?fieldManager=sonde-cluster&force=true"
	request, err := http.NewRequestWithContext(ctx, http.MethodPatch, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/apply-patch+yaml")
	return c.do(request, nil)
}

func (c client) do(request *http.Request, into any) error {
	request.Header.Set("User-Agent", "sonde-cluster")
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4<<20))
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s: %.300s", request.Method, request.URL.Path, response.Status, body)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(body, into)
}

// nodeReady is nil when the node reports that it is, and why not otherwise.
func (c client) nodeReady(ctx context.Context) error {
	var n struct {
		Spec struct {
			Taints []struct{ Key string }
		}
		Status struct {
			Conditions []struct{ Type, Status, Message string }
		}
	}
	if err := c.get(ctx, "/api/v1/nodes/"+nodeName, &n); err != nil {
		return err
	}
	for _, taint := range n.Spec.Taints { // lifted a moment after Ready; until then no pod is scheduled
		return fmt.Errorf("node has taint %s", taint.Key)
	}
	for _, condition := range n.Status.Conditions {
		if condition.Type == "Ready" {
			if condition.Status == "True" {
				return nil
			}
			return fmt.Errorf("node is not ready: %s", condition.Message)
		}
	}
	return fmt.Errorf("node has not reported yet")
}
