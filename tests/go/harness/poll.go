package harness

import (
	"time"
)

// interval is how often a condition is looked at.
const interval = 20 * time.Millisecond

// Eventually waits until a condition holds, and fails the test if it does not in time.
func Eventually(t T, deadline time.Duration, what string, holds func() bool) {
	t.Helper()
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	timeout := time.After(deadline)
	for !holds() {
		select {
		case <-ticker.C:
		case <-timeout:
			t.Fatalf("not within %v: %s", deadline, what)
		}
	}
}
