// Package tools pins Prometheus's programs: go.mod names them as tools, and
// test/cluster builds them from here.
package tools
