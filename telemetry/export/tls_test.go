package export_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/telemetry/export"
)

// authority signs certificates.
type authority struct {
	dir, file string // of its own certificate
	cert      *x509.Certificate
	key       *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	a.file = filepath.Join(a.dir, "ca.crt")
	a.cert, a.key = certificate(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "ca"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil)
	writePEM(t, a.file, "CERTIFICATE", a.cert.Raw)
	return a
}

// certificate makes one from a template; without an authority it signs itself.
func certificate(t *testing.T, template *x509.Certificate, by *authority) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := template, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// issue writes a certificate of that name, and its key, to files of those names.
func (a *authority) issue(t *testing.T, name string, ips ...net.IP) (certFile, keyFile string) {
	t.Helper()
	cert, key := certificate(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IPAddresses: ips,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a)
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(a.dir, "tls.crt"), filepath.Join(a.dir, "tls.key")
	writePEM(t, certFile, "CERTIFICATE", cert.Raw)
	writePEM(t, keyFile, "PRIVATE KEY", raw)
	return certFile, keyFile
}

func writePEM(t *testing.T, path, kind string, raw []byte) {
	t.Helper()
	writeFile(t, path, string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw})))
}

// serverConfig returns the configuration of a server that wants a client certificate of
// a, and stores its name in seen.
func (a *authority) serverConfig(t *testing.T, ip net.IP, seen *atomic.Pointer[string]) *tls.Config {
	t.Helper()
	certFile, keyFile := a.issue(t, "server", ip)
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AddCert(a.cert)
	return &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert,
		VerifyConnection: func(s tls.ConnectionState) error {
			name := s.PeerCertificates[0].Subject.CommonName
			seen.Store(&name)
			return nil
		},
	}
}

func TestTLSWithAPrivateAuthorityAndAClientCertificate(t *testing.T) {
	for _, protocol := range bothProtocols() {
		t.Run(string(protocol), func(t *testing.T) {
			a := newAuthority(t)
			var seen atomic.Pointer[string]
			b := serve(t, protocol, a.serverConfig(t, net.IPv4(127, 0, 0, 1), &seen))
			d := b.destination(protocol)
			d.CAFile = a.file
			d.CertFile, d.KeyFile = a.issue(t, "first")
			p := pushTo(t, storeWithOneRun(), d)
			p.push(t)
			if len(b.came()) != 1 || *seen.Load() != "first" {
				t.Fatalf("%d requests came; %s", len(b.came()), p.log)
			}

			a.issue(t, "second") // to the same files, for the next connection
			q := pushTo(t, storeWithOneRun(), d)
			q.push(t)
			if len(b.came()) != 2 || *seen.Load() != "second" {
				t.Errorf("%d requests came, the last of %s; %s", len(b.came()), *seen.Load(), q.log)
			}
		})
	}
}

func TestTheFilesOfTLSAreReadAtEachHandshake(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	var seen atomic.Pointer[string]
	b := serve(t, export.HTTPProtobuf, a.serverConfig(t, net.IPv4(127, 0, 0, 1), &seen))
	d := b.destination(export.HTTPProtobuf)
	d.CAFile = filepath.Join(t.TempDir(), "ca.crt")
	d.CertFile, d.KeyFile = other.issue(t, "stranger")
	writePEM(t, d.CAFile, "CERTIFICATE", other.cert.Raw)
	p := pushTo(t, storeWithOneRun(), d)
	p.push(t)
	if len(b.came()) != 0 || !strings.Contains(p.log.String(), "certificate signed by unknown authority") {
		t.Fatalf("%d requests came; %s", len(b.came()), p.log)
	}
	writePEM(t, d.CAFile, "CERTIFICATE", a.cert.Raw)
	p.push(t)
	if len(b.came()) != 0 {
		t.Fatal("the certificate of another authority was taken")
	}
	certFile, keyFile := a.issue(t, "known")
	copyFile(t, certFile, d.CertFile)
	copyFile(t, keyFile, d.KeyFile)
	p.push(t)
	if len(b.came()) != 1 || *seen.Load() != "known" {
		t.Errorf("%d requests came; %s", len(b.came()), p.log)
	}
}

// TestTheCertificateMustBeOfTheEndpoint has a good signature for another address, and a
// good certificate of an authority that was not named.
func TestTheCertificateMustBeOfTheEndpoint(t *testing.T) {
	for _, protocol := range bothProtocols() {
		t.Run(string(protocol), func(t *testing.T) {
			a := newAuthority(t)
			var seen atomic.Pointer[string]
			b := serve(t, protocol, a.serverConfig(t, net.IPv4(192, 0, 2, 1), &seen))
			d := b.destination(protocol)
			d.CertFile, d.KeyFile = a.issue(t, "client")
			for ca, want := range map[string]string{a.file: "certificate is valid for 192.0.2.1, not 127.0.0.1", "": "certificate"} {
				d.CAFile, d.Timeout = ca, time.Second
				p := pushTo(t, storeWithOneRun(), d)
				_ = p.meters.ForceFlush(t.Context()) // gRPC tries until the time is up
				eventually(t, func() bool { return strings.Contains(p.log.String(), want) })
				if len(b.came()) != 0 {
					t.Errorf("%d requests came; %s", len(b.came()), p.log)
				}
			}
		})
	}
}
