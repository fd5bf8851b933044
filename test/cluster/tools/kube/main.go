// Command kube is every Kubernetes program of the test cluster in one binary:
// the first argument says which. One binary is compiled and linked once instead
// of seven times, and the programs share nearly all of their code.
package main

import (
	"context"
	"fmt"
	"os"
	_ "time/tzdata" // timeZone of CronJobs, where the machine has no zone files

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client metrics of each component
	_ "k8s.io/component-base/metrics/prometheus/version"  // build info metric of each component
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

const usage = "usage: kube etcd|kube-apiserver|kube-controller-manager|kube-scheduler|kubelet|kube-proxy|kubectl ARGS..."

func main() {
	if len(os.Args) < 2 {
		fail(usage)
	}
	os.Args = os.Args[1:] // each program reads os.Args as if it were alone
	switch os.Args[0] {
	case "etcd":
		etcdmain.Main(os.Args)
	case "kubectl":
		runKubectl()
	default:
		command := daemon(os.Args[0])
		if command == nil {
			fail(usage)
		}
		os.Exit(cli.Run(command))
	}
}

// daemon is the command of a program that serves; nil where name is none. Only
// the one asked for is made: making a command registers flags and metrics.
func daemon(name string) *cobra.Command {
	switch name {
	case "kube-apiserver":
		return apiserver.NewAPIServerCommand()
	case "kube-controller-manager":
		return controllermanager.NewControllerManagerCommand()
	case "kube-scheduler":
		return scheduler.NewSchedulerCommand()
	case "kubelet":
		return kubelet.NewKubeletCommand(context.Background())
	case "kube-proxy":
		return proxy.NewProxyCommand()
	default:
		return nil
	}
}

// runKubectl does what kubectl's own main does: -v must be known before the
// command is built, and errors are printed in kubectl's way.
func runKubectl() {
	_, _ = logs.GlogSetter(kubectl.GetLogVerbosity(os.Args))
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err)
	}
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(2)
}
