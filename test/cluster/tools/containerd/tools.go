// Package tools pins containerd's programs: go.mod names them as tools, and
// test/cluster builds them from here.
package tools
