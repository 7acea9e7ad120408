package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// injected is part of the message of every error that tests/miniflare/faults.mjs throws.
const injected = "injected by a test"

// wantRetryInfo fails the test unless an error has a Retry-After of that many seconds, and the
// detail RetryInfo.
func wantRetryInfo(t *testing.T, err error, seconds string) {
	t.Helper()
	if got := errorMetadata(err).Get("Retry-After"); got != seconds {
		t.Errorf("Retry-After is %q, want %q", got, seconds)
	}
	for _, detail := range errorDetails(err) {
		if detail.Type() == "google.rpc.RetryInfo" {
			return
		}
	}
	t.Errorf("no RetryInfo in %v", err)
}

// The platform marks errors that a retry may resolve, as when it resets an object.
func TestOnCloudflareRetryableObjectErrorsAreRetried(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t)
	for _, after := range []bool{false, true} {
		id := fmt.Sprint("m-", after)
		fault := fmt.Sprintf(`{"objects":{"times":2,"retryable":true,"after":%v}}`, after)
		worker.InjectFaults(fault)
		registerColony(t, worker.Client(), colony(id, "k"), "Cf-Ray", id)
		if entry := worker.RequestEntry(id); entry.ObjectRequests != 3 || entry.Status != 200 {
			t.Errorf("%+v", entry)
		}
		worker.InjectFaults(fault)
		found, err := lookupColony(t, worker.Client(), id)
		if err != nil || found.GetPubkey() != "k" {
			t.Errorf("found %v, %v", found, err)
		}
	}
}

// The error says when to retry, and nothing internal.
func TestOnCloudflareFailingObjectIsUnavailable(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t, relays)
	session, err := worker.Client().RequestRelay(testContext(t), newRequest(relayRequest()))
	if err != nil {
		t.Fatal(err)
	}
	release := &discoveryv1.ReleaseRelayRequest{SessionId: session.Msg.GetSessionId()}
	lookup := func(c client, ray string) error {
		_, err := lookupColony(t, c, "m", "Cf-Ray", ray)
		return err
	}
	register := func(c client, ray string) error {
		request := newRequest(colony("m", "k"), "Cf-Ray", ray)
		_, err := c.RegisterColony(testContext(t), request)
		return err
	}
	releaseRelay := func(c client, ray string) error {
		_, err := c.ReleaseRelay(testContext(t), newRequest(release, "Cf-Ray", ray))
		return err
	}
	for _, test := range []struct {
		name, fault string
		attempts    int
		call        func(c client, ray string) error
	}{
		{"retryable", `{"times":100,"retryable":true}`, 3, lookup},
		{"not retryable", `{"times":100}`, 1, lookup},
		{"overloaded", `{"times":100,"overloaded":true,"retryable":true}`, 1, lookup},
		{"registration", `{"times":100,"retryable":true}`, 3, register},
		{"not idempotent", `{"times":100,"retryable":true}`, 1, releaseRelay},
	} {
		t.Run(test.name, func(t *testing.T) {
			forEachCodec(t, worker, func(t *testing.T, c client) {
				worker.InjectFaults(`{"objects":` + test.fault + `}`)
				err := test.call(c, t.Name())
				const text = "the registry is unavailable, try again"
				wantError(t, err, connect.CodeUnavailable, text)
				wantRetryInfo(t, err, "1")
				if strings.Contains(err.Error(), injected) {
					t.Errorf("the error contains its cause: %v", err)
				}
				entry := worker.RequestEntry(t.Name())
				hasCause := strings.Contains(entry.Cause, injected)
				if entry.ObjectRequests != test.attempts || !hasCause || entry.Level != "error" {
					t.Errorf("%+v", entry)
				}
			})
		})
	}
	worker.InjectFaults(`{}`)
	if err := lookup(worker.Client(), "after"); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("a failed registration was stored: %v", err)
	}
	if status := health(t, worker.Client()).GetStatus(); status != "ok" {
		t.Errorf("status of Health: %s", status)
	}
}

func TestOnCloudflareRetriesEndWithTheDeadline(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t)
	worker.InjectFaults(`{"objects":{"times":100,"retryable":true}}`)
	// connect-go would not wait for the response after its own deadline.
	response := postJSON(t, worker, "LookupColony", `{"meshId":"m"}`,
		"Connect-Timeout-Ms", "20", "Cf-Ray", "deadline")
	if response.status != http.StatusGatewayTimeout {
		t.Errorf("status %d", response.status)
	}
	if entry := worker.RequestEntry("deadline"); entry.ObjectRequests >= 3 {
		t.Errorf("%+v", entry)
	}
}

func TestOnCloudflareHealthSucceedsWhenAllBindingsFail(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t, "COLONY_COUNT_MAX_AGE_MS=0")
	registerColony(t, worker.Client(), colony("m", "k"))
	harness.Eventually(t, testTimeout, "the colony is counted", func() bool {
		return health(t, worker.Client()).GetRegisteredColonies() == 1
	})
	worker.InjectFaults(
		`{"objects":{"times":1000,"retryable":true},"kv":"throws","limiter":"throws"}`)
	for range 5 {
		response := health(t, worker.Client())
		if response.GetStatus() != "ok" || response.GetRegisteredColonies() != 1 {
			t.Errorf("%v", response)
		}
	}
}

func TestOnCloudflareRateLimits(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t)
	// Far below the limits: a heartbeat every three seconds, for a minute.
	for range 20 {
		health(t, worker.Client(), "Cf-Connecting-Ip", "8.8.8.8")
		registerColony(t, worker.Client(), colony("steady", "k"), "Cf-Connecting-Ip", "8.8.8.8")
	}
	register := func(id, address string) error {
		request := newRequest(colony(id, "k"), "Cf-Connecting-Ip", address, "Cf-Ray", id)
		_, err := worker.Client().RegisterColony(testContext(t), request)
		return err
	}
	lookup := func(id, address string) error {
		_, err := lookupColony(t, worker.Client(), id, "Cf-Connecting-Ip", address)
		return err
	}
	wantLimit := func(calls string, limit int, call func(i int) error) {
		t.Helper()
		// More calls are needed if the limiter's window ends in between.
		for i := range 3 * limit {
			if err := call(i); connect.CodeOf(err) == connect.CodeResourceExhausted {
				wantError(t, err, connect.CodeResourceExhausted, "too many "+calls)
				wantRetryInfo(t, err, "60")
				return
			}
		}
		t.Fatalf("%s are not limited", calls)
	}
	wantLimit("registrations of this id", 60, func(int) error {
		return register("eager", "9.9.9.9")
	})
	harness.Eventually(t, testTimeout, "a rejected call calls no object", func() bool {
		entry := worker.LastRequestEntry("eager")
		return entry.ObjectRequests == 0 && entry.Status == 429
	})
	if err := register("another", "9.9.9.9"); err != nil {
		t.Errorf("another colony with the same address: %v", err)
	}
	// One client has all IPv6 addresses of a /64 network.
	wantLimit("registrations from this address", 600, func(i int) error {
		return register(fmt.Sprint("m", i), fmt.Sprintf("2606:4700:1:2::%x", i))
	})
	if err := register("m", "2606:4700:1:3::1"); err != nil {
		t.Errorf("another network: %v", err)
	}
	wantLimit("lookups from this address", 1200, func(int) error {
		return lookup("steady", "9.9.9.9")
	})
	if err := lookup("steady", "8.8.8.8"); err != nil {
		t.Errorf("another address: %v", err)
	}
}

func TestOnCloudflareWithoutALimiterAllCallsAreAllowed(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t)
	worker.InjectFaults(`{"limiter":"deny"}`)
	request := newRequest(colony("m", "k"), "Cf-Connecting-Ip", "8.8.8.8")
	_, err := worker.Client().RegisterColony(testContext(t), request)
	wantError(t, err, connect.CodeResourceExhausted)
	for _, fault := range []string{"throws", "absent"} {
		worker.InjectFaults(fmt.Sprintf(`{"limiter":%q}`, fault))
		for range 3 {
			registerColony(t, worker.Client(), colony("m", "k"), "Cf-Connecting-Ip", "8.8.8.8")
		}
	}
	harness.Eventually(t, testTimeout, "the log has both faults", func() bool {
		failures, notBound := limiterFaults(worker)
		return failures > 0 && notBound > 0
	})
	if failures, notBound := limiterFaults(worker); failures != 1 || notBound != 1 {
		t.Errorf("%d warnings and %d notices, want one each", failures, notBound)
	}
}

// limiterFaults returns how often the log has a failure of a limiter, and how often that it is not
// bound.
func limiterFaults(worker *harness.Worker) (failures, notBound int) {
	const binding = "LIMIT_REGISTER_BY_LEASE"
	for _, warning := range worker.Warnings() {
		if strings.Contains(warning.Message, binding) && strings.Contains(warning.Cause, injected) {
			failures++
		}
	}
	for _, notice := range worker.Notices() {
		if strings.Contains(notice.Message, binding) &&
			strings.Contains(notice.Message, "not bound") {
			notBound++
		}
	}
	return failures, notBound
}

func TestOnCloudflareSlowKVOnlyDelaysChanges(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t, onlyKV...)
	worker.InjectFaults(`{"kv":"slow"}`)
	registerColony(t, worker.Client(), colony("m", "k"))
	waitForKV(t, worker, "m")
	for i := range 5 {
		changed := changedColony("m", "k", fmt.Sprintf("192.0.2.%d:1", i))
		registerColony(t, worker.Client(), changed)
		if _, err := lookupColony(t, worker.Client(), "m"); err != nil {
			t.Fatal(err)
		}
	}
	harness.Eventually(t, testTimeout, "a lookup returns the last change", func() bool {
		_, found := lookupSource(t, worker, "m")
		return found.GetEndpoints()[0] == "192.0.2.4:1"
	})
}
