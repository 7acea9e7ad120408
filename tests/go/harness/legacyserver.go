package harness

import (
	"bufio"
	"fmt"
	"net/http"
	"os/exec"
	"strings"

	"connectrpc.com/connect"

	"github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1/discoveryv1connect"
)

// LegacyServer is a running cmd/legacyserver: a stand-in for the server that clients move from.
type LegacyServer struct {
	// URL is the server's address. It stays the same when the server is started again.
	URL string

	t       T
	address string
	command *exec.Cmd
}

// StartLegacyServer runs a legacy server until the test ends.
func StartLegacyServer(t T) *LegacyServer {
	t.Helper()
	legacy := &LegacyServer{t: t, address: "127.0.0.1:0"}
	legacy.Start()
	t.Cleanup(legacy.Kill)
	return legacy
}

// Start starts the server again after Kill. It has no registrations then.
func (s *LegacyServer) Start() {
	s.t.Helper()
	// Another process may use the port for a moment.
	Eventually(s.t, startTimeout, "the legacy server listens", s.start)
}

func (s *LegacyServer) start() bool {
	s.t.Helper()
	s.command = exec.Command(Build(s.t, "legacyserver"), "-address", s.address)
	output, err := s.command.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.command.Start(); err != nil {
		s.t.Fatal(err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		s.Kill()
		return false
	}
	s.address = strings.TrimSpace(line)
	s.URL = "http://" + s.address
	return true
}

// Kill ends the server.
func (s *LegacyServer) Kill() {
	_ = s.command.Process.Kill()
	_ = s.command.Wait()
}

// Delay makes the server wait this many milliseconds before it handles a call.
func (s *LegacyServer) Delay(ms int) {
	s.t.Helper()
	response, err := http.Post(fmt.Sprintf("%s/delay?ms=%d", s.URL, ms), "", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		s.t.Fatalf("delay: %s", response.Status)
	}
}

// Client returns a Connect client of the server.
func (s *LegacyServer) Client() discoveryv1connect.DiscoveryServiceClient {
	return discoveryv1connect.NewDiscoveryServiceClient(
		http.DefaultClient, s.URL, connect.WithProtoJSON())
}
