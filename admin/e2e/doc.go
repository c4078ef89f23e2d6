// Package e2e holds only tests: they build the real binary, drive it over HTTP,
// its socket and the shell, and check the rules of the house.
package e2e
