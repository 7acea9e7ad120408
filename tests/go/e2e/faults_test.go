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

// wantRetryInfo fails unless an error tells when to come back.
func wantRetryInfo(t *testing.T, err error, seconds string) {
	t.Helper()
	if got := metadata(err).Get("Retry-After"); got != seconds {
		t.Errorf("Retry-After is %q, want %q", got, seconds)
	}
	for _, detail := range details(err) {
		if detail.Type() == "google.rpc.RetryInfo" {
			return
		}
	}
	t.Errorf("no RetryInfo in %v", err)
}

// An object that was reset is asked again, if the platform says so; nobody notices.
func TestOnCloudflareWhatThePlatformCallsRetryableIsRetried(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t)
	for _, after := range []bool{false, true} {
		id := fmt.Sprint("m-", after)
		fail := fmt.Sprintf(`{"objects":{"times":2,"retryable":true,"after":%v}}`, after)
		worker.Faults(t, fail)
		registerColony(t, worker.Client(), colony(id, "k"), "Cf-Ray", id)
		if line := worker.RequestEntry(id); line.ObjectRequests != 3 || line.Status != 200 {
			t.Errorf("%+v", line)
		}
		worker.Faults(t, fail)
		if found, err := lookupColony(t, worker.Client(), id); err != nil || found.GetPubkey() != "k" {
			t.Errorf("found %v, %v", found, err)
		}
	}
}

// Clients learn that it will not work now, when to come back, and nothing of the insides.
func TestOnCloudflareAFailingObjectIsUnavailable(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t, relays)
	session, err := worker.Client().RequestRelay(deadline(t), send(requestRelay()))
	if err != nil {
		t.Fatal(err)
	}
	release := &discoveryv1.ReleaseRelayRequest{SessionId: session.Msg.GetSessionId()}
	lookup := func(c client, ray string) error {
		_, err := lookupColony(t, c, "m", "Cf-Ray", ray)
		return err
	}
	for _, failure := range []struct {
		name, fault string
		attempts    int
		call        func(c client, ray string) error
	}{
		{"retryable for good", `{"times":100,"retryable":true}`, 3, lookup},
		{"an exception", `{"times":100}`, 1, lookup},
		{"overloaded", `{"times":100,"overloaded":true,"retryable":true}`, 1, lookup},
		{"registering", `{"times":100,"retryable":true}`, 3, func(c client, ray string) error {
			_, err := c.RegisterColony(deadline(t), send(colony("m", "k"), "Cf-Ray", ray))
			return err
		}},
		{"not to be repeated", `{"times":100,"retryable":true}`, 1, func(c client, ray string) error {
			_, err := c.ReleaseRelay(deadline(t), send(release, "Cf-Ray", ray))
			return err
		}},
	} {
		t.Run(failure.name, func(t *testing.T) {
			forEachCodec(t, worker, func(t *testing.T, c client) {
				worker.Faults(t, `{"objects":`+failure.fault+`}`)
				err := failure.call(c, t.Name())
				wantError(t, err, connect.CodeUnavailable, "the registry is unavailable, try again")
				wantRetryInfo(t, err, "1")
				if strings.Contains(err.Error(), "injected by a test") {
					t.Errorf("%v", err)
				}
				line := worker.RequestEntry(t.Name())
				if line.ObjectRequests != failure.attempts || !strings.Contains(line.Cause, "injected by a test") || line.Level != "error" {
					t.Errorf("%+v", line)
				}
			})
		})
	}
	worker.Faults(t, `{}`)
	if _, err := lookupColony(t, worker.Client(), "m"); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("something is left of a registration that failed: %v", err)
	}
	if status := health(t, worker.Client()).GetStatus(); status != "ok" {
		t.Errorf("Health says %s", status)
	}
}

// Retries end with the client's deadline.
func TestOnCloudflareRetriesEndWithTheDeadline(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t)
	worker.Faults(t, `{"objects":{"times":100,"retryable":true}}`)
	// Of its own deadline connect-go would not wait for the answer.
	request, err := http.NewRequest("POST", worker.URL+procedure("LookupColony"), strings.NewReader(`{"meshId":"m"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{"Content-Type": {"application/json"}, "Connect-Timeout-Ms": {"20"}, "Cf-Ray": {"hasty"}}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusGatewayTimeout {
		t.Errorf("status %d", answer.StatusCode)
	}
	if line := worker.RequestEntry("hasty"); line.ObjectRequests >= 3 {
		t.Errorf("%+v", line)
	}
}

// Health answers when all behind it fails.
func TestOnCloudflareHealthAnswersWhenEverythingBehindItFails(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t, "COLONY_COUNT_MAX_AGE_MS=0")
	registerColony(t, worker.Client(), colony("m", "k"))
	harness.Eventually(t, patience, "the colony is counted", func() bool {
		return health(t, worker.Client()).GetRegisteredColonies() == 1
	})
	worker.Faults(t, `{"objects":{"times":1000,"retryable":true},"kv":"throws","limiter":"throws"}`)
	for range 5 {
		told := health(t, worker.Client())
		if told.GetStatus() != "ok" || told.GetRegisteredColonies() != 1 {
			t.Errorf("%v", told)
		}
	}
}

func TestOnCloudflareLimits(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t)
	// Far below the limit: a heartbeat with its Health every three seconds, for a minute.
	for range 20 {
		health(t, worker.Client(), "Cf-Connecting-Ip", "8.8.8.8")
		registerColony(t, worker.Client(), colony("steady", "k"), "Cf-Connecting-Ip", "8.8.8.8")
	}
	register := func(id, address string) error {
		request := send(colony(id, "k"), "Cf-Connecting-Ip", address, "Cf-Ray", id)
		_, err := worker.Client().RegisterColony(deadline(t), request)
		return err
	}
	lookup := func(id, address string) error {
		_, err := lookupColony(t, worker.Client(), id, "Cf-Connecting-Ip", address)
		return err
	}
	// The window in which calls are counted may end in between: then it takes a few more.
	beyond := func(what string, limit int, call func(i int) error) {
		t.Helper()
		for i := range 3 * limit {
			if err := call(i); connect.CodeOf(err) == connect.CodeResourceExhausted {
				wantError(t, err, connect.CodeResourceExhausted, "too many "+what)
				wantRetryInfo(t, err, "60")
				return
			}
		}
		t.Fatalf("%s are not limited", what)
	}
	beyond("registrations of this id", 60, func(int) error { return register("eager", "9.9.9.9") })
	harness.Eventually(t, patience, "a refusal is logged, and cost no object request", func() bool {
		line := worker.LastRequestEntry("eager")
		return line.ObjectRequests == 0 && line.Status == 429
	})
	if err := register("another", "9.9.9.9"); err != nil {
		t.Errorf("another colony behind the same address: %v", err)
	}
	// One customer has all addresses of such a network.
	beyond("registrations from this address", 600, func(i int) error {
		return register(fmt.Sprint("m", i), fmt.Sprintf("2606:4700:1:2::%x", i))
	})
	if err := register("m", "2606:4700:1:3::1"); err != nil {
		t.Errorf("another network: %v", err)
	}
	beyond("lookups from this address", 1200, func(int) error { return lookup("steady", "9.9.9.9") })
	if err := lookup("steady", "8.8.8.8"); err != nil {
		t.Errorf("another address: %v", err)
	}
}

// A limiter that fails or is not there limits nothing.
func TestOnCloudflareWithoutALimiterNothingIsLimited(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t)
	worker.Faults(t, `{"limiter":"deny"}`)
	_, err := worker.Client().RegisterColony(deadline(t), send(colony("m", "k"), "Cf-Connecting-Ip", "8.8.8.8"))
	wantError(t, err, connect.CodeResourceExhausted)
	for _, fault := range []string{"throws", "absent"} {
		worker.Faults(t, fmt.Sprintf(`{"limiter":%q}`, fault))
		for range 3 {
			registerColony(t, worker.Client(), colony("m", "k"), "Cf-Connecting-Ip", "8.8.8.8")
		}
	}
	const binding = "LIMIT_REGISTER_BY_LEASE"
	count := func() (failures, notBound int) {
		for _, warning := range worker.Warnings() {
			if strings.Contains(warning.Message, binding) && strings.Contains(warning.Cause, "injected by a test") {
				failures++
			}
		}
		for _, notice := range worker.Notices() {
			if strings.Contains(notice.Message, binding) && strings.Contains(notice.Message, "not bound") {
				notBound++
			}
		}
		return failures, notBound
	}
	harness.Eventually(t, patience, "the log has both faults", func() bool {
		failures, notBound := count()
		return failures > 0 && notBound > 0
	})
	if failures, notBound := count(); failures != 1 || notBound != 1 {
		t.Errorf("%d warnings and %d notices, want one each", failures, notBound)
	}
}

// Writes that KV shows late make answers older, no more.
func TestOnCloudflareSlowKVChangesNothingButStaleness(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t, onlyKV...)
	worker.Faults(t, `{"kv":"slow"}`)
	registerColony(t, worker.Client(), colony("m", "k"))
	untilCached(t, worker, "m")
	for i := range 5 {
		changed := colony("m", "k")
		changed.Endpoints = []string{fmt.Sprintf("192.0.2.%d:1", i)}
		registerColony(t, worker.Client(), changed)
		if _, err := lookupColony(t, worker.Client(), "m"); err != nil {
			t.Fatal(err)
		}
	}
	harness.Eventually(t, patience, "the last record is found", func() bool {
		_, found := answeredBy(t, worker, "m")
		return found.GetEndpoints()[0] == "192.0.2.4:1"
	})
}
