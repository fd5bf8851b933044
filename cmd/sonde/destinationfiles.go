package main

import (
	"crypto/tls"
	"errors"

	"github.com/sonde-dev/sonde/telemetry/export"
)

// fileKeys are what the endpoint and the files of a destination are called where they
// were given.
type fileKeys struct{ endpoint, headers, ca, cert, key string }

// fileFaults reads the files of d, to say at the start what is wrong with them. They
// are read again when they are needed.
func fileFaults(d export.Destination, keys fileKeys) []error {
	var faults []error
	if d.HeadersFile != "" {
		_, err := export.ReadHeaders(d.HeadersFile)
		faults = appendFault(faults, keys.headers, err)
	}
	if d.CAFile != "" {
		_, err := export.ReadRoots(d.CAFile)
		faults = appendFault(faults, keys.ca, err)
	}
	switch {
	case d.CertFile == "" && d.KeyFile == "":
	case d.KeyFile == "":
		faults = appendFault(faults, keys.cert, errors.New("needs "+keys.key+" beside it"))
	case d.CertFile == "":
		faults = appendFault(faults, keys.key, errors.New("needs "+keys.cert+" beside it"))
	default:
		_, err := tls.LoadX509KeyPair(d.CertFile, d.KeyFile)
		faults = appendFault(faults, keys.cert, err)
	}
	if d.Endpoint.Scheme == "http" && d.CAFile+d.CertFile+d.KeyFile != "" {
		faults = appendFault(faults, keys.endpoint, errors.New("must begin with https:// where there are files for TLS"))
	}
	return faults
}
