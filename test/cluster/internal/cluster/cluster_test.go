package cluster

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/test/cluster/internal/host"
)

func TestIdentitiesAreOfOneAuthority(t *testing.T) {
	l := Layout{Dir: t.TempDir()}
	if err := os.Mkdir(l.Path("pki"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := writePKI(l.Path("pki"), time.Now()); err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(l.Path("pki", "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	for _, id := range identities() {
		pair, err := tls.LoadX509KeyPair(l.Path("pki", id.file+".crt"), l.Path("pki", id.file+".key"))
		if err != nil {
			t.Fatal(err)
		}
		for _, address := range append(id.ips, id.dns...) {
			if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: address}); err != nil {
				t.Errorf("%s as %s: %v", id.file, address, err)
			}
		}
	}
	if _, err := kubeconfigFor(l, "admin"); err != nil {
		t.Error(err)
	}
	if _, err := newClient(l); err != nil {
		t.Error(err)
	}
}

func TestConfigsAreWhole(t *testing.T) {
	l := Layout{Dir: t.TempDir()}
	if err := writeConfigs(l, values{Dir: l.Dir, CNINetwork: cniNetwork, PodRange: podRange, CgroupRoot: host.CgroupRoot}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"audit-policy.yaml", "containerd.toml", "kubelet.yaml", "kube-proxy.yaml", "Corefile"} {
		text, err := os.ReadFile(l.Path("config", name))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "{{") {
			t.Errorf("%s has a template left in it", name)
		}
	}
	text, err := os.ReadFile(l.Path("config", "cni", "10-sonde.conflist"))
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(text) {
		t.Errorf("the network's configuration is no JSON:\n%s", text)
	}
}

func TestAFolderOfOthersIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	precious := filepath.Join(dir, "containerd", "thesis.tex")
	if err := os.MkdirAll(filepath.Dir(precious), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(precious, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	c := &Cluster{Layout: Layout{Dir: dir}}
	if err := c.removeDir(); err == nil {
		t.Error("it is removed without a word")
	}
	if err := c.stop(t.Context()); err == nil {
		t.Error("a cluster is ended that is none")
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(c.Layout.marker(), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := c.removeDir(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a cluster's folder is still there: %v", err)
	}
}

func TestAPidFileOfAnotherProcessIsNotRunning(t *testing.T) {
	l := Layout{Dir: t.TempDir()}
	if err := os.Mkdir(l.Path("pids"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"1", "", "rubbish", "999999999"} {
		if err := os.WriteFile(l.pidFile("etcd"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if pid, ok := running(l, "etcd"); ok {
			t.Errorf("with %q in the file, process %d is taken for etcd", text, pid)
		}
	}
}

func TestOrderOfEnding(t *testing.T) {
	all := []host.Process{
		{PID: 1, Program: "containerd", Daemon: "containerd"},
		{PID: 2, Program: "containerd-shim-runc-v2", Daemon: "containerd"},
		{PID: 3, Program: "sleep"},
		{PID: 4, Program: "kube", Daemon: "kubelet"},
	}
	if diff := cmp.Diff(all[1:3], containers(all)); diff != "" {
		t.Errorf("containers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(all[:1], ofDaemon(all, "containerd")); diff != "" {
		t.Errorf("containerd without its shims (-want +got):\n%s", diff)
	}
}

func TestComponentErrorShowsTheLog(t *testing.T) {
	l := Layout{Dir: t.TempDir()}
	if err := os.Mkdir(l.Path("logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(l.Log("etcd"), []byte(strings.Repeat("old\n", 20)+"bind: address already in use\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	ended := errors.New("exit status 1")
	err := componentError(l, "etcd", ended)
	if !errors.Is(err, ended) || !strings.Contains(err.Error(), "address already in use") || strings.Count(err.Error(), "old") != 14 {
		t.Errorf("the error is: %v", err)
	}
}
