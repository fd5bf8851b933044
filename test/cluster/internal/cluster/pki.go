package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certificateLife: a cluster lives for hours, so no certificate ever needs renewal.
const certificateLife = 365 * 24 * time.Hour

// frontProxy is the name as which the API server forwards requests to others
// that serve a part of its API.
const frontProxy = "front-proxy-client"

// identity is one party of the cluster: the name that its certificate has, and
// for a server the addresses that it answers for.
type identity struct {
	file   string
	name   string
	groups []string
	dns    []string
	ips    []string
}

func identities() []identity {
	const masters = "system:masters"
	return []identity{
		{
			file: "apiserver", name: "kube-apiserver",
			dns: []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc." + domain},
			ips: []string{nodeAddress, apiService, "127.0.0.1"},
		},
		{file: "apiserver-kubelet-client", name: "kube-apiserver-kubelet-client", groups: []string{masters}},
		{file: "front-proxy-client", name: frontProxy},
		{file: "admin", name: "sonde-admin", groups: []string{masters}},
		{file: "controller-manager", name: "system:kube-controller-manager"},
		{file: "scheduler", name: "system:kube-scheduler"},
		{file: "proxy", name: "system:kube-proxy"},
		{file: "coredns", name: "sonde-coredns", groups: []string{masters}},
		{
			file: "kubelet", name: "system:node:" + nodeName, groups: []string{"system:nodes"},
			dns: []string{nodeName}, ips: []string{nodeAddress},
		},
	}
}

// authority signs the certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	dir         string
}

// writePKI makes an authority, a certificate for each identity, and the key that
// signs service account tokens, all in dir.
func writePKI(dir string, now time.Time) error {
	ca, err := newAuthority(dir, now)
	if err != nil {
		return fmt.Errorf("certificate authority: %w", err)
	}
	for i, id := range identities() {
		if err := ca.issue(id, int64(i)+2, now); err != nil {
			return fmt.Errorf("certificate of %s: %w", id.file, err)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	return errors.Join(writeKey(filepath.Join(dir, "sa.key"), key), writePublic(filepath.Join(dir, "sa.pub"), key))
}

func newAuthority(dir string, now time.Time) (authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return authority{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sonde-cluster"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLife),
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return authority{}, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return authority{}, err
	}
	ca := authority{certificate: certificate, key: key, dir: dir}
	return ca, errors.Join(writeCertificate(filepath.Join(dir, "ca.crt"), der), writeKey(filepath.Join(dir, "ca.key"), key))
}

func (a authority) issue(id identity, serial int64, now time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      pkix.Name{CommonName: id.name, Organization: id.groups},
		NotBefore:    now.Add(-time.Hour), NotAfter: now.Add(certificateLife),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		DNSNames:    id.dns,
	}
	for _, ip := range id.ips {
		template.IPAddresses = append(template.IPAddresses, net.ParseIP(ip))
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return err
	}
	base := filepath.Join(a.dir, id.file)
	return errors.Join(writeCertificate(base+".crt", der), writeKey(base+".key", key))
}

func writeCertificate(file string, der []byte) error {
	return writePEM(file, "CERTIFICATE", der)
}

func writeKey(file string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return writePEM(file, "EC PRIVATE KEY", der)
}

func writePublic(file string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	return writePEM(file, "PUBLIC KEY", der)
}

func writePEM(file, kind string, der []byte) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
