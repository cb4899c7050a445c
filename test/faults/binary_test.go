package faults_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"rapport/internal/killpoint"
)

// patience is how long a test waits for what must come, on a busy machine.
const patience = 120 * time.Second

// scratch is where the product is built, if nobody has built it.
var scratch string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if scratch, err = os.MkdirTemp("", "faults-"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(scratch)
		return m.Run()
	}())
}

// product is the built product: what RAPPORT_BINARY names, or built here. It is asked
// for by the tests, not before them: go test then notes which file they looked at, and
// runs them again when there is another.
var product = sync.OnceValues(func() (string, error) {
	if given := os.Getenv("RAPPORT_BINARY"); given != "" {
		_, err := os.Stat(given)
		return given, err
	}
	path := filepath.Join(scratch, "rapport")
	if out, err := exec.Command("go", "build", "-o", path, "rapport/cmd/rapport").CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the binary: %w\n%s", err, out)
	}
	return path, nil
})

// binary is the path of the built product.
func binary(t *testing.T) string {
	t.Helper()
	path, err := product()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// rounds returns how long the long form of a test is to be; it skips the test
// where nobody asked for one.
func rounds(t *testing.T) int {
	t.Helper()
	text := os.Getenv("RAPPORT_CHAOS")
	if text == "" {
		t.Skip("set RAPPORT_CHAOS to a number of rounds to run the long form")
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("RAPPORT_CHAOS is %q and must be a number of rounds", text)
	}
	return n
}

// home is a data directory with everything that outlives a process on it.
type home struct {
	t     *testing.T
	dir   string
	addr  string
	args  []string
	key   string // secret, as a server of the shop's uses it
	lines []string
	mu    sync.Mutex // guards key and lines
}

// newHome returns a data directory in which nothing has happened. Args are more
// arguments for serve.
func newHome(t *testing.T, args ...string) *home {
	t.Helper()
	return &home{t: t, dir: filepath.Join(t.TempDir(), "data"), addr: freeAddr(t), args: args}
}

// freeAddr returns an address of this machine on which nobody listens.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// process is one run of serve.
type process struct {
	h    *home
	cmd  *exec.Cmd
	done chan struct{} // closed once it has ended
}

// options of a start.
type options struct {
	kill   string   // a value of RAPPORT_KILL
	prefix []string // a command that runs the binary
}

var keyLine = regexp.MustCompile(`rp_s_[A-Za-z0-9_]+`)

// launch begins a process without waiting for it.
func (h *home) launch(o options) *process {
	h.t.Helper()
	line := append(append([]string{}, o.prefix...), binary(h.t), "serve", "--data", h.dir, "--listen", h.addr)
	line = append(line, h.args...)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = append(os.Environ(), killpoint.Env+"="+o.kill)
	// A group of its own: strace and the binary under it end together.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	out, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	p := &process{h: h, cmd: cmd, done: make(chan struct{})}
	if err := cmd.Start(); err != nil {
		h.t.Fatalf("starting the binary: %v", err)
	}
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			h.mu.Lock()
			h.lines = append(h.lines, s.Text())
			if k := keyLine.FindString(s.Text()); k != "" && h.key == "" {
				h.key = k
			}
			h.mu.Unlock()
		}
		io.Copy(io.Discard, out) // a line that was too long must not block the process
	}()
	go func() {
		cmd.Wait()
		w.Close()
		close(p.done)
	}()
	h.t.Cleanup(p.kill)
	return p
}

// start begins a process and waits until it is ready.
func (h *home) start(o options) *process {
	h.t.Helper()
	p := h.launch(o)
	if !p.ready() {
		h.t.Fatalf("the server did not become ready; it said:\n%s", h.said())
	}
	// It was printed before, but we may not have read it yet.
	until(h.t, "the server has printed its key", func() bool { return h.secret() != "" })
	return p
}

// ready waits until the process is ready; false if it ended before.
func (p *process) ready() bool {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if status, _ := p.h.get("/readyz"); status == http.StatusOK {
			return true
		}
		if p.ended() {
			return false
		}
	}
	return false
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// kill ends the process as kill -9 does.
func (p *process) kill() {
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // it may have ended already
	<-p.done
}

// stop ends the process in order.
func (p *process) stop() {
	p.h.t.Helper()
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(patience):
		p.kill()
		p.h.t.Errorf("the server did not stop in %v; it said:\n%s", patience, p.h.said())
	}
}

// said returns the last of what the processes printed.
func (h *home) said() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.lines[max(0, len(h.lines)-40):], "\n")
}

func (h *home) secret() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.key
}

var client = &http.Client{Timeout: 10 * time.Second}

// get returns the status and body of a page; 0 if nobody answers.
func (h *home) get(path string) (int, string) {
	r, err := client.Get("http://" + h.addr + path)
	if err != nil {
		return 0, ""
	}
	defer r.Body.Close()
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return 0, ""
	}
	return r.StatusCode, string(body)
}

// message is one call of the tracking API.
type message map[string]any

// post sends a batch and returns the status; 0 if nobody answered.
func (h *home) post(ctx context.Context, batch ...message) int {
	body, err := json.Marshal(map[string]any{"batch": batch})
	if err != nil {
		h.t.Error(err)
		return 0
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+h.addr+"/v1/batch", bytes.NewReader(body))
	if err != nil {
		h.t.Error(err)
		return 0
	}
	r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(h.secret()+":")))
	a, err := client.Do(r)
	if err != nil {
		return 0
	}
	defer a.Body.Close()
	said, err := io.ReadAll(io.LimitReader(a.Body, 1<<20))
	if err != nil {
		return 0
	}
	if a.StatusCode == http.StatusBadRequest || a.StatusCode == http.StatusUnauthorized {
		h.t.Errorf("the server refused a batch that is right: %d %s", a.StatusCode, said)
	}
	return a.StatusCode
}

// insist sends a batch as an SDK does: again and again until it is answered 200.
func (h *home) insist(ctx context.Context, batch ...message) bool {
	for ctx.Err() == nil {
		if h.post(ctx, batch...) == http.StatusOK {
			return true
		}
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
	return false
}

// view is a small event.
func view(id, user string) message {
	return message{"type": "track", "event": "Product Viewed", "userId": user, "messageId": id, "properties": map[string]any{"sku": "x"}}
}

// orders returns what makes the shop write to a person who agreed to it.
func orders(user string) []message {
	return []message{
		{"type": "identify", "userId": user, "messageId": "i-" + user, "traits": map[string]any{"email": user + "@shop.example"}},
		{"type": "track", "event": "Consent Changed", "userId": user, "messageId": "c-" + user, "properties": map[string]any{
			"channel": "email", "purpose": "marketing", "state": "granted",
		}},
		{"type": "track", "event": "Order Completed", "userId": user, "messageId": "o-" + user, "properties": map[string]any{
			"order_id": "order-" + user, "total": 10, "currency": "EUR", "products": []map[string]any{{"product_id": "p1", "sku": "s1", "name": "A lamp", "price": 10, "quantity": 1}},
		}},
	}
}

// row is a line of dump.
type row struct {
	ID        string   `json:"id"`
	MessageID string   `json:"messageId"`
	State     string   `json:"state"`
	Reason    string   `json:"reason"`
	Profile   string   `json:"profile"`
	Journey   string   `json:"journey"`
	Kind      string   `json:"kind"`
	Detail    string   `json:"detail"`
	Outcome   string   `json:"outcome"`
	Segments  []string `json:"segments"`
}

// tool runs another command of the binary on the data directory.
func (h *home) tool(args ...string) (string, error) {
	h.t.Helper()
	cmd := exec.Command(binary(h.t), append(args, "--data", h.dir)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		err = errors.Join(err, errors.New(errs.String()))
	}
	return string(out), err
}

// dump returns the rows of a stopped data directory.
func (h *home) dump(what string) []row {
	h.t.Helper()
	out, err := h.tool("dump", what)
	if err != nil {
		h.t.Fatalf("dump %s: %v", what, err)
	}
	var rows []row
	for line := range strings.Lines(out) {
		var r row
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			h.t.Fatalf("dump %s printed %q: %v", what, line, err)
		}
		rows = append(rows, r)
	}
	return rows
}

// until waits for something that must come.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %v it is still not so that %s", patience, what)
		}
	}
}
