package host

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRecognize(t *testing.T) {
	const v1Pod = "8:pids:/sonde-cluster/kubepods/besteffort/pod1/abc\n0::/\n"
	for name, c := range map[string]struct {
		cmdline, environ, cgroups string
		want                      Process
		ours                      bool
	}{
		"a daemon has the marker": {
			"/cache/kube-v1/kube\x00kubelet\x00", "PATH=/bin\x00SONDE_CLUSTER_DAEMON=kubelet@/repo/.cluster\x00", "0::/\n",
			Process{Program: "kube", Daemon: "kubelet", Dir: "/repo/.cluster"},
			true,
		},
		"a shim inherits containerd's": {
			"/cache/containerd-shim-runc-v2\x00-id\x00", "SONDE_CLUSTER_DAEMON=containerd@/repo/.cluster\x00", "0::/\n",
			Process{Program: "containerd-shim-runc-v2", Daemon: "containerd", Dir: "/repo/.cluster"},
			true,
		},
		"a container's process is in our cgroup": {"sleep\x0060\x00", "HOME=/\x00", v1Pod, Process{Program: "sleep"}, true},
		"so it is under cgroup v2":               {"sleep\x00", "", "0::/sonde-cluster/kubepods/pod1\n", Process{Program: "sleep"}, true},
		"another kubelet's pod is not ours":      {"sleep\x00", "", "0::/kubepods/pod1\n", Process{Program: "sleep"}, false},
		"a name that only begins alike is not":   {"sleep\x00", "", "0::/sonde-cluster-2/pod1\n", Process{Program: "sleep"}, false},
		"a command that `run` runs is not":       {"go\x00test\x00", "SONDE_CLUSTER_DIR=/repo/.cluster\x00", "0::/\n", Process{Program: "go"}, false},
		"the marker must be a variable's name":   {"sh\x00", "X=SONDE_CLUSTER_DAEMON=a@b\x00", "0::/\n", Process{Program: "sh"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, ours := recognize([]byte(c.cmdline), []byte(c.environ), []byte(c.cgroups))
			if ours != c.ours {
				t.Errorf("ours is %t", ours)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("process (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMountsBelow(t *testing.T) {
	const mountinfo = `27 1 254:0 / / rw - ext4 /dev/vda rw
42 27 254:0 /repo/.cluster/kubelet /repo/.cluster/kubelet rw shared:1 - ext4 /dev/vda rw
43 42 0:39 / /repo/.cluster/kubelet/pods/a/volumes/b rw - tmpfs none rw
44 27 0:40 / /repo/.cluster-2/x rw - tmpfs none rw
45 27 0:41 / /repo/.cluster/with\040space rw - tmpfs none rw
`
	want := []string{"/repo/.cluster/with space", "/repo/.cluster/kubelet/pods/a/volumes/b", "/repo/.cluster/kubelet"}
	if diff := cmp.Diff(want, mountsBelow(mountinfo, []string{"/repo/.cluster"})); diff != "" {
		t.Errorf("mounts, the last first (-want +got):\n%s", diff)
	}
}

func TestTablesOfOurs(t *testing.T) {
	const listed = "table ip filter\ntable ip kube-proxy\ntable ip6 kube-proxy\ntable ip sonde-cluster\ntable inet kube-proxy-else\n"
	want := []string{"ip kube-proxy", "ip6 kube-proxy", "ip sonde-cluster"}
	if diff := cmp.Diff(want, tablesOfOurs(listed)); diff != "" {
		t.Errorf("tables (-want +got):\n%s", diff)
	}
}

func TestRemoveLinksInto(t *testing.T) {
	folder := t.TempDir()
	for name, target := range map[string]string{"ours.log": "/c/pod-logs/a/0.log", "theirs.log": "/var/log/pods/b/0.log"} {
		if err := os.Symlink(target, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := RemoveLinksInto(folder, "/c/pod-logs"); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{filepath.Join(folder, "theirs.log")}, left); diff != "" {
		t.Errorf("links left (-want +got):\n%s", diff)
	}
}
