package harness

import (
	"bufio"
	"encoding/json"
	"io"
	"strings"
	"sync"
)

// maxLineBytes bounds a line of the log.
const maxLineBytes = 1 << 20

// log has the lines that a Worker has written.
type log struct {
	mutex sync.Mutex
	lines []string
}

// follow reads output to its end. It sends the port when workerd reports that it listens, or 0 if
// the output ends before that.
func (l *log) follow(output io.Reader, port chan<- int) {
	scanner := bufio.NewScanner(output)
	scanner.Buffer(nil, maxLineBytes)
	for scanner.Scan() {
		var control struct {
			Event string
			Port  int
		}
		if json.Unmarshal(scanner.Bytes(), &control) == nil && control.Event == "listen" {
			port <- control.Port
			continue
		}
		l.add(scanner.Text())
	}
	select {
	case port <- 0:
	default:
	}
}

// Write adds the lines of text. It implements io.Writer for standard error.
func (l *log) Write(text []byte) (int, error) {
	for _, line := range strings.Split(strings.TrimRight(string(text), "\n"), "\n") {
		l.add(line)
	}
	return len(text), nil
}

func (l *log) add(line string) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.lines = append(l.lines, line)
}

func (l *log) text() string {
	return strings.Join(l.snapshot(), "\n")
}

// tail returns the last lines.
func (l *log) tail(count int) string {
	all := l.snapshot()
	return strings.Join(all[max(0, len(all)-count):], "\n")
}

func (l *log) snapshot() []string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return append([]string(nil), l.lines...)
}
