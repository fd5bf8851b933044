package cluster

import (
	"context"
	"fmt"
	"os"
)

// volumes is how many claims can be served. A claim takes one for good.
const volumes = 8

// storageClass is the default one. It makes no volumes: those of makeVolumes are there.
const storageClass = "standard"

// makeVolumes makes the folders of the volumes. Anybody may write into them, as the
// kubelet does not give a folder of the host to a pod's group.
func makeVolumes(l Layout) error {
	for i := range volumes {
		dir := l.volume(i)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := os.Chmod(dir, 0o777); err != nil { //nolint:gosec // a cluster for tests
			return err
		}
	}
	return nil
}

func (l Layout) volume(i int) string { return l.Path("volumes", fmt.Sprint(i)) }

// applyStorage makes the storage class and its volumes.
func applyStorage(ctx context.Context, c client, l Layout) error {
	err := c.apply(ctx, "/apis/storage.k8s.io/v1/storageclasses/"+storageClass, map[string]any{
		"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
		"metadata": map[string]any{
			"name":        storageClass,
			"annotations": map[string]any{"storageclass.kubernetes.io/is-default-class": "true"},
		},
		"provisioner": "kubernetes.io/no-provisioner", "reclaimPolicy": "Retain", "volumeBindingMode": "Immediate",
	})
	for i := 0; err == nil && i < volumes; i++ {
		name := fmt.Sprint("volume-", i)
		err = c.apply(ctx, "/api/v1/persistentvolumes/"+name, map[string]any{
			"apiVersion": "v1", "kind": "PersistentVolume",
			"metadata": map[string]any{"name": name},
			"spec": map[string]any{
				"storageClassName": storageClass, "persistentVolumeReclaimPolicy": "Retain",
				"accessModes": []any{"ReadWriteOnce"},
				"capacity":    map[string]any{"storage": "10Gi"},
				"hostPath":    map[string]any{"path": l.volume(i), "type": "Directory"},
			},
		})
	}
	return err
}
