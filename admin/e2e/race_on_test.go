//go:build race

package e2e

// raceFlags builds the program under test with the race detector when the
// tests are: go test -race ./admin/e2e.
var raceFlags = []string{"-race"}
