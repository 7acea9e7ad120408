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

// StartContainer runs the files of the container image with the image's start script, configured by
// environment variables alone. It returns the URL of the service.
func StartContainer(t T, environment ...string) string {
	t.Helper()
	image := t.TempDir()
	for name, source := range map[string]string{
		"start": "container/start", "workerd.capnp": "workerd.capnp",
		"build/index.js":      filepath.Join(buildFolder(), "index.js"),
		"build/index_bg.wasm": filepath.Join(buildFolder(), "index_bg.wasm"),
	} {
		if err := copyFile(filepath.Join(image, name), Path(source)); err != nil {
			t.Fatal(err)
		}
	}
	port := FreePort(t)
	command := exec.Command("./start")
	command.Dir = image
	command.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "PORT=" + fmt.Sprint(port), "STORAGE=" + storageFolder(t),
		"WORKERD=" + Path("node_modules", ".bin", "workerd"),
	}, environment...)
	// npm's workerd is a script that starts the runtime: the signal goes to the whole group.
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
	Eventually(t, startTimeout, "the container is healthy", func() bool {
		response, err := http.Get(url + "/health")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return url
}

func copyFile(target, source string) error {
	content, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return err
	}
	return os.WriteFile(target, content, 0o700)
}

// FreePort returns a port that nothing listens on.
func FreePort(t T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}
