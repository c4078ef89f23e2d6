// Package systemd is what the program knows of the system that starts it: the
// unit that runs it with as few rights as it needs, and how it says that it is
// ready.
//
// A line of the unit that forbids something stands beside a test that the server
// never does it. To allow more, change unit.go and see what the tests say.
package systemd
