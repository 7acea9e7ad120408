package e2e

import (
	"fmt"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/procfs"

	"github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1/discoveryv1connect"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// devTimeout bounds the time until `cargo xtask dev` serves, with everything still to compile.
const devTimeout = 10 * time.Minute

// `cargo xtask dev` serves the Worker. When it is interrupted, it ends all that it has started.
func TestDevServesUntilItIsInterrupted(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		port := harness.FreePort(t)
		dev := harness.Xtask(
			"dev", "--port", fmt.Sprint(port), "--ttl", "77", "--storage", t.TempDir())
		// A session of its own, by which the processes are found that it starts.
		dev.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		dev.Stdout, dev.Stderr = os.Stderr, os.Stderr
		if err := dev.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- dev.Wait() }()
		t.Cleanup(func() { killSession(t, dev.Process.Pid) })
		url := fmt.Sprintf("http://127.0.0.1:%d", port)
		healthClient := http.Client{Timeout: testTimeout}
		harness.Eventually(t, devTimeout, "the server for development is healthy", func() bool {
			response, err := healthClient.Get(url + "/health")
			if err != nil {
				return false
			}
			response.Body.Close()
			return response.StatusCode == http.StatusOK
		})
		client := discoveryv1connect.NewDiscoveryServiceClient(
			http.DefaultClient, url, connect.WithProtoJSON())
		if response := registerColony(t, client, colony("mesh-dev", "key")); response.Ttl != 77 {
			t.Errorf("ttl %d, want 77", response.Ttl)
		}
		if started := session(t, dev.Process.Pid); len(started) < 2 {
			t.Errorf("only these processes were found: %v", started)
		}
		if err := dev.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("%v: %v", signal, err)
			}
		case <-time.After(testTimeout):
			t.Fatalf("%v: did not end", signal)
		}
		harness.Eventually(t, testTimeout, "all that it has started has ended", func() bool {
			return len(session(t, dev.Process.Pid)) == 0
		})
	}
}

// session returns the running processes of a session.
func session(t *testing.T, id int) (found procfs.Procs) {
	t.Helper()
	all, err := procfs.AllProcs()
	if err != nil {
		t.Fatal(err)
	}
	for _, process := range all {
		// A process may end meanwhile.
		stat, err := process.Stat()
		if err == nil && stat.Session == id && stat.State != "Z" {
			found = append(found, process)
		}
	}
	return found
}

func killSession(t *testing.T, id int) {
	for _, process := range session(t, id) {
		_ = syscall.Kill(process.PID, syscall.SIGKILL)
	}
}
