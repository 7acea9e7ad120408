// Command legacyserver stands in for the Go server that clients move from, in tests of the
// migration: one map in memory for colonies and agents, with the legacy server's rules, error texts
// and mistakes. It has only what those tests need: no bootstrap tokens, no sweep, few flags.
//
// It prints its address when it listens. POST /delay?ms=N delays every later call by N
// milliseconds.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1/discoveryv1connect"
)

func main() {
	address := flag.String("address", "127.0.0.1:0", "address to listen on")
	ttl := flag.Duration("ttl", 5*time.Minute, "time to live of a lease")
	flag.Parse()
	if err := serve(*address, *ttl); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(address string, ttl time.Duration) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	var delay atomic.Int64
	path, service := discoveryv1connect.NewDiscoveryServiceHandler(newServer(ttl))
	mux := http.NewServeMux()
	mux.HandleFunc("POST /delay", func(w http.ResponseWriter, r *http.Request) {
		ms, err := strconv.Atoi(r.FormValue("ms"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		delay.Store(int64(ms))
	})
	mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(time.Duration(delay.Load()) * time.Millisecond):
		case <-r.Context().Done():
			return
		}
		if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
			r.Header.Set("X-Observed-Addr", host)
		}
		service.ServeHTTP(w, r)
	})
	return (&http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}).Serve(listener)
}
