package main

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
)

// newLogger returns the process's one logger, and makes the Kubernetes libraries
// use it too.
func newLogger(w io.Writer, level slog.Level) *slog.Logger {
	handler := slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})
	ctrl.SetLogger(logr.FromSlogHandler(handler))
	klog.SetSlogLogger(slog.New(handler))
	return slog.New(handler)
}

// clusterConfig returns how to reach the API server: $KUBECONFIG, else the service
// account. name becomes the user agent, by which the API server's audit log tells
// what each part of Sonde costs it.
func clusterConfig(name string) (*rest.Config, error) {
	config, err := ctrl.GetConfig()
	if err != nil {
		return nil, fmt.Errorf("find a Kubernetes API server: %w", err)
	}
	config.UserAgent = name + "/" + version
	return config, nil
}

// within restricts what is cached, and with it what is looked after, to namespaces;
// none means all.
func within(namespaces []string, cached cache.Options) cache.Options {
	for _, namespace := range namespaces {
		if cached.DefaultNamespaces == nil {
			cached.DefaultNamespaces = map[string]cache.Config{}
		}
		cached.DefaultNamespaces[namespace] = cache.Config{}
	}
	return cached
}
