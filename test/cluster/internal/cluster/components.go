package cluster

// component is one process of the cluster.
type component struct {
	name string
	// recipe and program say where the executable is in the cache.
	recipe, program string
	args            []string
}

// The components in three lots: each lot wants the one before it to be ready.

func storage(l Layout) []component {
	return []component{
		{name: "etcd", recipe: "kube", program: "kube", args: []string{
			"etcd",
			"--name=sonde", "--data-dir=" + l.Path("etcd"),
			"--listen-client-urls=http://127.0.0.1:" + portEtcd, "--advertise-client-urls=http://127.0.0.1:" + portEtcd,
			"--listen-peer-urls=http://127.0.0.1:" + portEtcdPeer, "--initial-advertise-peer-urls=http://127.0.0.1:" + portEtcdPeer,
			"--initial-cluster=sonde=http://127.0.0.1:" + portEtcdPeer,
			"--unsafe-no-fsync", // its data need not survive the machine
			"--log-level=warn",
		}},
		{name: "containerd", recipe: "containerd", program: "containerd", args: []string{
			"--config", l.Path("config", "containerd.toml"), "--log-level", "info",
		}},
	}
}

func api(l Layout) []component {
	pki := func(file string) string { return l.Path("pki", file) }
	args := append([]string{"kube-apiserver"}, aggregation(pki)...)
	args = append(args,
		"--advertise-address="+nodeAddress, "--bind-address="+nodeAddress, "--secure-port="+portAPI,
		"--etcd-servers=http://127.0.0.1:"+portEtcd,
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged=true",
		"--client-ca-file="+pki("ca.crt"),
		"--tls-cert-file="+pki("apiserver.crt"), "--tls-private-key-file="+pki("apiserver.key"),
		"--kubelet-certificate-authority="+pki("ca.crt"), "--kubelet-preferred-address-types=InternalIP",
		"--kubelet-client-certificate="+pki("apiserver-kubelet-client.crt"),
		"--kubelet-client-key="+pki("apiserver-kubelet-client.key"),
		"--service-account-issuer=https://kubernetes.default.svc."+domain,
		"--service-account-key-file="+pki("sa.pub"), "--service-account-signing-key-file="+pki("sa.key"),
		"--service-cluster-ip-range="+serviceIPs,
		"--audit-policy-file="+l.Path("config", "audit-policy.yaml"), "--audit-log-path="+l.Audit(),
		"--audit-log-maxsize=256", "--audit-log-maxbackup=3", // MB each: 1 GiB in all
		"--cert-dir="+l.Path("pki", "generated"),
	)
	return []component{{name: "kube-apiserver", recipe: "kube", program: "kube", args: args}}
}

// aggregation is the flags by which other servers may serve a part of the API.
func aggregation(pki func(string) string) []string {
	return []string{
		"--requestheader-client-ca-file=" + pki("ca.crt"), "--requestheader-allowed-names=" + frontProxy,
		"--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + pki("front-proxy-client.crt"), "--proxy-client-key-file=" + pki("front-proxy-client.key"),
	}
}

func node(l Layout) []component {
	config := func(file string) string { return l.Path("config", file) }
	return []component{
		{name: "kube-controller-manager", recipe: "kube", program: "kube", args: append(
			control("kube-controller-manager", config("controller-manager.kubeconfig"), portControllers),
			"--controllers=*", "--use-service-account-credentials=true",
			"--service-account-private-key-file="+l.Path("pki", "sa.key"), "--root-ca-file="+l.Path("pki", "ca.crt"),
			"--cluster-signing-cert-file="+l.Path("pki", "ca.crt"), "--cluster-signing-key-file="+l.Path("pki", "ca.key"),
		)},
		{
			name: "kube-scheduler", recipe: "kube", program: "kube",
			args: control("kube-scheduler", config("scheduler.kubeconfig"), portScheduler),
		},
		{name: "kubelet", recipe: "kube", program: "kube", args: []string{
			"kubelet",
			"--config=" + config("kubelet.yaml"), "--kubeconfig=" + config("kubelet.kubeconfig"),
			"--root-dir=" + l.Path("kubelet"), "--cert-dir=" + l.Path("pki", "generated"),
			"--hostname-override=" + nodeName, "--node-ip=" + nodeAddress,
		}},
		{name: "kube-proxy", recipe: "kube", program: "kube", args: []string{
			"kube-proxy", "--config=" + config("kube-proxy.yaml"),
		}},
		{name: "coredns", recipe: "coredns", program: "coredns", args: []string{"-conf", config("Corefile")}},
	}
}

// control is the flags that controller manager and scheduler share. There is one
// of each, so none waits for a lease.
func control(name, kubeconfig, port string) []string {
	return []string{
		name,
		"--kubeconfig=" + kubeconfig, "--authentication-kubeconfig=" + kubeconfig, "--authorization-kubeconfig=" + kubeconfig,
		"--bind-address=127.0.0.1", "--secure-port=" + port, "--leader-elect=false",
	}
}

// allComponents is every lot, in the order of starting.
func allComponents(l Layout) []component {
	var all []component
	for _, lot := range [][]component{storage(l), api(l), node(l)} {
		all = append(all, lot...)
	}
	return all
}
