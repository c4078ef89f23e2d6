//go:build !race

package auth_test

// simulated is the number of requests in the limiter's simulation.
const simulated = 1_000_000
