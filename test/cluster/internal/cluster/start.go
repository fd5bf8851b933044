package cluster

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/sonde-dev/sonde/test/cluster/internal/build"
)

// start is one run of bringing the components up.
type start struct {
	layout   Layout
	programs map[string]build.Programs
	daemons  []*daemon
}

// all starts the lots one after the other and returns when the cluster can be
// used. The kubeconfig comes last: who finds it finds a cluster that is ready.
func (s *start) all(ctx context.Context) error {
	l := s.layout
	if err := s.lot(storage(l)); err != nil {
		return err
	}
	if err := s.await(ctx, "etcd", answers("http://127.0.0.1:"+portEtcd+"/health")); err != nil {
		return err
	}
	if err := s.lot(api(l)); err != nil {
		return err
	}
	if err := s.images(ctx); err != nil { // while the API server prepares itself
		return err
	}
	api, err := newClient(l)
	if err != nil {
		return err
	}
	ready := func(ctx context.Context) error { return api.get(ctx, "/readyz", nil) }
	if err := s.await(ctx, "kube-apiserver", ready); err != nil {
		return err
	}
	if err := s.lot(node(l)); err != nil {
		return err
	}
	if err := s.usable(ctx, api); err != nil {
		return err
	}
	text, err := kubeconfigFor(l, "admin")
	if err != nil {
		return err
	}
	return os.WriteFile(l.Kubeconfig(), text, 0o600)
}

// usable waits for all that a first pod needs.
func (s *start) usable(ctx context.Context, c client) error {
	account := func(ctx context.Context) error {
		return c.get(ctx, "/api/v1/namespaces/default/serviceaccounts/default", nil)
	}
	for _, step := range []struct {
		component string
		check     func(context.Context) error
	}{
		{"kube-apiserver", func(ctx context.Context) error { return applyDNS(ctx, c) }},
		{"kube-apiserver", func(ctx context.Context) error { return applyStorage(ctx, c, s.layout) }},
		{"kube-controller-manager", account},
		{"kube-scheduler", listens("127.0.0.1:" + portScheduler)},
		{"kubelet", c.nodeReady},
		{"coredns", answers("http://127.0.0.1:" + portDNSReady + "/ready")},
		{"kube-proxy", dnsAnswers},
	} {
		if err := s.await(ctx, step.component, step.check); err != nil {
			return err
		}
	}
	return nil
}

func (s *start) lot(components []component) error {
	for _, c := range components {
		d, err := startDaemon(s.layout, c, s.programs[c.recipe].Path(c.program))
		if err != nil {
			return err
		}
		s.daemons = append(s.daemons, d)
	}
	return nil
}

// await asks until check is content. It gives up when any daemon ends, and when
// the limit has passed.
func (s *start) await(ctx context.Context, name string, check func(context.Context) error) error {
	deadline := time.Now().Add(readyLimit)
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		for _, d := range s.daemons {
			select {
			case ended := <-d.ended:
				return componentError(s.layout, d.name, fmt.Errorf("ended while coming up: %w", orCleanly(ended)))
			default:
			}
		}
		if time.Now().After(deadline) {
			return componentError(s.layout, name, fmt.Errorf("not ready after %s: %w", readyLimit, err))
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func orCleanly(err error) error {
	if err == nil {
		return fmt.Errorf("exit status 0")
	}
	return err
}

// answers is a check that the URL answers with 200.
func answers(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		response, err := (&http.Client{}).Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s", url, response.Status)
		}
		return nil
	}
}

// listens is a check that something listens; the certificate is one that the
// component made for itself.
func listens(address string) func(context.Context) error {
	return func(ctx context.Context) error {
		connection, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return connection.Close()
	}
}
