package harness

import (
	"time"
)

// pollInterval is the time between two evaluations of a condition.
const pollInterval = 20 * time.Millisecond

// Eventually waits until a condition holds. It fails the test if the condition does not hold within
// the timeout; description names the condition.
func Eventually(t T, timeout time.Duration, description string, condition func() bool) {
	t.Helper()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	expired := time.After(timeout)
	for !condition() {
		select {
		case <-ticker.C:
		case <-expired:
			t.Fatalf("not within %v: %s", timeout, description)
		}
	}
}
