//go:build race

package auth_test

// The race detector makes the simulation ten times as slow; it looks for races,
// and the arithmetic is the business of the ordinary run.
const simulated = 100_000

const (
	siegeDays = 1
	besiegers = 100
)
