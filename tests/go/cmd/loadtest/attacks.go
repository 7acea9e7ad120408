package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"

	"connectrpc.com/connect"

	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

const lookupPath = "/coral.discovery.v1.DiscoveryService/LookupColony"

// requestHead is the beginning of a request's head.
const requestHead = "POST " + lookupPath + " HTTP/1.1\r\nHost: test\r\n" +
	"Content-Type: application/json\r\n"

// attack is one kind of attack.
type attack struct {
	name string
	// call returns an error if the Worker's response is wrong.
	call load.Call
	// calls is the number of calls. If it is 0, the attack has a duration.
	calls int
}

func attacks(url string, client load.Client) []attack {
	host := strings.TrimPrefix(url, "http://")
	return []attack{
		{"random ids", lookupRandom(client), 100_000},
		{"ids of maximal length", func(ctx context.Context, number int) error {
			return client.LookupUnknown(ctx, fmt.Sprintf("%0255d", rand.Uint64()))
		}, 0},
		{"ids that are too long", func(ctx context.Context, _ int) error {
			err := client.Lookup(ctx, strings.Repeat("x", 60_000), 0)
			return load.ExpectError(err, connect.CodeInvalidArgument, "mesh_id")
		}, 0},
		{"gzip bombs", post(url, gzipBomb(), http.StatusTooManyRequests, "Content-Encoding", "gzip"), 0},
		{"deep JSON", post(url, deepJSON(), http.StatusBadRequest), 0},
		{"10,000 headers", func(context.Context, int) error { return manyHeaders(host) }, 0},
		{"slow bodies", func(context.Context, int) error { return slowBody(host) }, 0},
		{"half-closed connections", func(context.Context, int) error { return halfClosed(host) }, 0},
	}
}

// lookupRandom looks up a new random id with each call.
func lookupRandom(client load.Client) load.Call {
	return func(ctx context.Context, _ int) error {
		return client.LookupUnknown(ctx, fmt.Sprintf("random-%x", rand.Uint64()))
	}
}

// post sends a body as JSON, and expects a status.
func post(url string, body []byte, status int, headers ...string) load.Call {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: attackers}}
	return func(ctx context.Context, _ int) error {
		request, err := http.NewRequestWithContext(
			ctx, http.MethodPost, url+lookupPath, bytes.NewReader(body))
		if err != nil {
			return err
		}
		request.Header.Set("Content-Type", "application/json")
		for i := 0; i+1 < len(headers); i += 2 {
			request.Header.Set(headers[i], headers[i+1])
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err == nil && response.StatusCode != status {
			err = fmt.Errorf("status %d, want %d: %s", response.StatusCode, status, text)
		}
		return err
	}
}

// gzipBomb returns 60 KB that decompress to 60 MB.
func gzipBomb() []byte {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	zeros := make([]byte, 1<<20)
	for range 60 {
		_, _ = writer.Write(zeros)
	}
	_ = writer.Close()
	return packed.Bytes()
}

// deepJSON returns nested arrays of nearly the maximum size of a message.
func deepJSON() []byte {
	return []byte(`{"x":` + strings.Repeat("[", 60_000))
}

// dial opens a connection that times out soon after an attack.
func dial(host string) (net.Conn, error) {
	connection, err := net.Dial("tcp", host)
	if err != nil {
		return nil, err
	}
	return connection, connection.SetDeadline(time.Now().Add(4 * attackDuration))
}

func manyHeaders(host string) error {
	connection, err := dial(host)
	if err != nil {
		return err
	}
	defer connection.Close()
	var head strings.Builder
	head.WriteString(requestHead)
	for number := range 10_000 {
		fmt.Fprintf(&head, "x-%d: y\r\n", number)
	}
	head.WriteString("Content-Length: 2\r\n\r\n{}")
	_, _ = io.WriteString(connection, head.String())
	// Either the runtime rejects the request, or the Worker does.
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		return nil // the runtime closed the connection
	}
	defer response.Body.Close()
	if response.StatusCode < 400 || response.StatusCode >= 500 {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return nil
}

// slowBody announces a body, sends a byte of it now and then, and closes the connection.
func slowBody(host string) error {
	connection, err := dial(host)
	if err != nil {
		return err
	}
	defer connection.Close()
	fmt.Fprint(connection, requestHead+"Content-Length: 50\r\n\r\n")
	for range 10 {
		time.Sleep(20 * time.Millisecond)
		if _, err := io.WriteString(connection, " "); err != nil {
			return err
		}
	}
	return nil
}

// halfClosed sends half of a request, closes its side of the connection, and reads to the end.
func halfClosed(host string) error {
	connection, err := dial(host)
	if err != nil {
		return err
	}
	defer connection.Close()
	fmt.Fprint(connection, requestHead+"Content-Length: 50\r\n\r\n{")
	if err := connection.(*net.TCPConn).CloseWrite(); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, connection)
	return nil
}
