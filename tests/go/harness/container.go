package harness

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// StartContainer runs what the container image has in it, by the same script and with the environment alone,
// and returns its URL.
func StartContainer(t T, environment ...string) string {
	t.Helper()
	image := t.TempDir()
	for name, source := range map[string]string{
		"start": "container/start", "workerd.capnp": "workerd.capnp",
		"build/index.js": "build/index.js", "build/index_bg.wasm": "build/index_bg.wasm",
	} {
		if err := copyInto(filepath.Join(image, name), Path(source)); err != nil {
			t.Fatal(err)
		}
	}
	port := freePort(t)
	command := exec.Command("./start")
	command.Dir = image
	command.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "PORT=" + fmt.Sprint(port), "STORAGE=" + storage(t),
		"WORKERD=" + Path("node_modules", ".bin", "workerd"),
	}, environment...)
	// The runtime is started by a script of its own: both end with their group.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Stdout, command.Stderr = io.Discard, os.Stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
		_ = command.Wait()
	})
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	Eventually(t, startDeadline, "the container is healthy", func() bool {
		answer, err := http.Get(url + "/health")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	return url
}

func copyInto(target, source string) error {
	content, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return err
	}
	return os.WriteFile(target, content, 0o700)
}

func freePort(t T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}
