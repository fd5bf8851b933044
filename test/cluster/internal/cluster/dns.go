package cluster

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"
)

// applyDNS makes the Service kube-system/kube-dns. CoreDNS is a process of the
// host, so the Service has no selector, and its endpoint is the node.
func applyDNS(ctx context.Context, c client) error {
	port, err := strconv.Atoi(portDNS)
	if err != nil {
		return err
	}
	ports := func(named func(protocol string) map[string]any) []any {
		return []any{named("UDP"), named("TCP")}
	}
	service := map[string]any{
		"apiVersion": "v1", "kind": "Service",
		"metadata": map[string]any{
			"name": "kube-dns", "namespace": "kube-system",
			"labels": map[string]any{"k8s-app": "kube-dns", "kubernetes.io/name": "CoreDNS"},
		},
		"spec": map[string]any{"clusterIP": dnsService, "ports": ports(func(protocol string) map[string]any {
			return map[string]any{"name": dnsPortName(protocol), "protocol": protocol, "port": 53, "targetPort": port}
		})},
	}
	slice := map[string]any{
		"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
		"metadata": map[string]any{
			"name": "kube-dns", "namespace": "kube-system",
			"labels": map[string]any{
				"kubernetes.io/service-name":             "kube-dns",
				"endpointslice.kubernetes.io/managed-by": "sonde-cluster",
			},
		},
		"addressType": "IPv4",
		"endpoints":   []any{map[string]any{"addresses": []any{nodeAddress}, "conditions": map[string]any{"ready": true}}},
		"ports": ports(func(protocol string) map[string]any {
			return map[string]any{"name": dnsPortName(protocol), "protocol": protocol, "port": port}
		}),
	}
	if err := c.apply(ctx, "/api/v1/namespaces/kube-system/services/kube-dns", service); err != nil {
		return err
	}
	return c.apply(ctx, "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices/kube-dns", slice)
}

func dnsPortName(protocol string) string {
	if protocol == "TCP" {
		return "dns-tcp"
	}
	return "dns"
}

// dnsAnswers asks as a pod would, by the service's address: kube-proxy is part
// of the way.
func dnsAnswers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(dnsService, "53"))
	}}
	name := "kubernetes.default.svc." + domain + "."
	addresses, err := resolver.LookupHost(ctx, name)
	if err != nil {
		return err
	}
	if len(addresses) != 1 || addresses[0] != apiService {
		return fmt.Errorf("%s is %v, not %s", name, addresses, apiService)
	}
	return nil
}
