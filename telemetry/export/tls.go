package export

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// ReadRoots reads a file of certificates in PEM.
func ReadRoots(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: has no certificate in PEM", path)
	}
	return roots, nil
}

// tlsConfig returns the configuration of connections to d. Its files are read at each
// handshake.
func (d Destination) tlsConfig() *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if d.CertFile != "" {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(d.CertFile, d.KeyFile)
			if err != nil {
				return nil, fmt.Errorf("read client certificate: %w", err)
			}
			return &pair, nil
		}
	}
	if d.CAFile != "" {
		// RootCAs could not change. The verification is moved, not left out.
		c.InsecureSkipVerify = true
		c.VerifyConnection = d.verify
	}
	return c
}

// verify is what crypto/tls does with RootCAs, with the CA file as it is now (see the
// example VerifyConnection of crypto/tls). The name is that of the endpoint:
// ConnectionState has none where the host is an IP address.
func (d Destination) verify(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the server has sent no certificate")
	}
	roots, err := ReadRoots(d.CAFile)
	if err != nil {
		return fmt.Errorf("read certificate authority: %w", err)
	}
	between := x509.NewCertPool()
	for _, c := range state.PeerCertificates[1:] {
		between.AddCert(c)
	}
	_, err = state.PeerCertificates[0].Verify(x509.VerifyOptions{
		DNSName: d.Endpoint.Hostname(), Roots: roots, Intermediates: between,
	})
	return err
}
