package cluster

import (
	"embed"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"text/template"
)

// configs are the components' configuration files, as templates.
//
//go:embed configs
var configs embed.FS

// values is what the templates may use.
type values struct {
	Dir, RunDir, CNIDir, ShimPath, Snapshotter           string
	NodeName, NodeAddress, PodRange, DNSService, Domain  string
	APIServer, CNINetwork, CgroupRoot                    string
	PortKubelet, PortKubeletHealth                       string
	PortProxyHealth, PortProxyMetrics, PortDNS, DNSReady string
}

// writeConfigs makes a file of each template in the cluster's folder.
func writeConfigs(l Layout, v values) error {
	entries, err := configs.ReadDir("configs")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		parsed, err := template.ParseFS(configs, "configs/"+entry.Name())
		if err != nil {
			return err
		}
		to := l.Path("config", entry.Name())
		if entry.Name() == "cni.conflist" { // containerd reads every file of a folder
			to = l.Path("config", "cni", "10-sonde.conflist")
		}
		if err := render(parsed, to, v); err != nil {
			return fmt.Errorf("configuration %s: %w", entry.Name(), err)
		}
	}
	return nil
}

func render(parsed *template.Template, to string, v values) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	file, err := os.Create(to)
	if err != nil {
		return err
	}
	if err := parsed.Execute(file, v); err != nil {
		return err
	}
	return file.Close()
}

// snapshotter is overlayfs, except where the folder is itself on an overlay: one
// overlay cannot be the upper layer of another.
func snapshotter(dir string) (string, error) {
	const overlayMagic = 0x794c7630 // OVERLAYFS_SUPER_MAGIC of linux/magic.h
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return "", fmt.Errorf("file system of %s: %w", dir, err)
	}
	if fs.Type == overlayMagic {
		return "native", nil
	}
	return "overlayfs", nil
}

// kubeconfigFor is a kubeconfig with the identity's certificate in it, so that
// the file may be copied elsewhere.
func kubeconfigFor(l Layout, id string) ([]byte, error) {
	var parts [3]string
	for i, name := range []string{"ca.crt", id + ".crt", id + ".key"} {
		content, err := os.ReadFile(l.Path("pki", name))
		if err != nil {
			return nil, err
		}
		parts[i] = base64.StdEncoding.EncodeToString(content)
	}
	return fmt.Appendf(nil, `apiVersion: v1
kind: Config
current-context: sonde-cluster
clusters:
- name: sonde-cluster
  cluster:
    server: %s
    certificate-authority-data: %s
contexts:
- name: sonde-cluster
  context:
    cluster: sonde-cluster
    user: %s
users:
- name: %s
  user:
    client-certificate-data: %s
    client-key-data: %s
`, apiURL(), parts[0], id, id, parts[1], parts[2]), nil
}

func apiURL() string { return "https://" + nodeAddress + ":" + portAPI }
