//go:build !race

package auth_test

// simulated is the number of requests in the limiter's simulation.
const simulated = 1_000_000

// The attack on a password in the throttle's simulation: how many days it lasts, and
// from how many addresses.
const (
	siegeDays = 3
	besiegers = 1000
)
