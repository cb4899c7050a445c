package peers_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rapport/internal/sender"
)

// tools are the programs of others, by the name of the command.
var tools = []string{"dnsmasq", "postfix", "opendkim", "python3"}

// peers is a mail server of others, and DNS.
type peers struct {
	dir     string
	smtp    string // where Postfix takes mail
	dns     string
	records map[string]string
}

// tool returns where a program is. /usr/sbin is not in everybody's PATH.
func tool(name string) string {
	if p, err := exec.LookPath(name); err == nil && name != "python3" {
		return p
	}
	for _, dir := range []string{"/usr/sbin/", "/usr/bin/"} { // Debian's own python3 has Debian's modules
		if _, err := os.Stat(dir + name); err == nil {
			return dir + name
		}
	}
	return ""
}

// port returns a free port.
func port(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, p, _ := net.SplitHostPort(l.Addr().String())
	return p
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// start runs a program until the end of the test.
func start(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("%s said: %s", filepath.Base(name), said.String())
		}
	})
}

// until waits for something that another process does.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			t.Fatalf("within 20 s, %s did not happen", what)
		case <-tick.C:
		}
	}
}

func listens(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// open starts the peers. Bounces for bounces.shop.example go to the door, and so does
// what is for gone@people.example, which the door refuses: Postfix took it, and must
// write a bounce.
func open(t *testing.T, records map[string]string, door string) *peers {
	t.Helper()
	for _, name := range tools {
		if tool(name) == "" {
			t.Skipf("%s is not here: scripts/need.sh installs it", name)
		}
	}
	if os.Getuid() != 0 {
		t.Skip("Postfix starts as root alone")
	}
	// The servers run as users of their own, who must get at it.
	dir, err := os.MkdirTemp("", "rapport-mail-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	p := &peers{dir: dir, records: records}
	p.serveDNS(t)
	milter := p.startOpenDKIM(t)
	p.startPostfix(t, milter, door)
	return p
}

func (p *peers) serveDNS(t *testing.T) {
	t.Helper()
	n := port(t)
	conf := []string{"port=" + n, "listen-address=127.0.0.1", "bind-interfaces", "no-resolv", "no-hosts", "user=root", "local=/example/", "pid-file="}
	for name, value := range p.records {
		var parts []string
		for len(value) > 250 {
			parts, value = append(parts, `"`+value[:250]+`"`), value[250:]
		}
		conf = append(conf, "txt-record="+name+","+strings.Join(append(parts, `"`+value+`"`), ","))
	}
	write(t, filepath.Join(p.dir, "dnsmasq.conf"), strings.Join(conf, "\n")+"\n")
	start(t, tool("dnsmasq"), "--no-daemon", "--conf-file="+filepath.Join(p.dir, "dnsmasq.conf"))
	p.dns = "127.0.0.1:" + n
	dns := sender.NewResolver(p.dns)
	until(t, "an answer of dnsmasq", func() bool {
		_, err := dns.LookupTXT(t.Context(), "_dmarc.shop.example.")
		return err == nil
	})
}

// startOpenDKIM starts the checker, which reads DNS from a file, and returns where
// Postfix finds it.
func (p *peers) startOpenDKIM(t *testing.T) string {
	t.Helper()
	data := ""
	for name, value := range p.records {
		if strings.Contains(name, "_domainkey") {
			data += name + " " + value + "\n"
		}
	}
	write(t, filepath.Join(p.dir, "keys"), data)
	n := port(t)
	write(t, filepath.Join(p.dir, "opendkim.conf"), fmt.Sprintf("Mode v\nSocket inet:%s@127.0.0.1\nTestDNSData file:%s\nAlwaysAddARHeader yes\nAuthservID mx.people.example\nOn-BadSignature accept\nOn-NoSignature accept\nSyslog no\n", n, filepath.Join(p.dir, "keys")))
	start(t, tool("opendkim"), "-f", "-x", filepath.Join(p.dir, "opendkim.conf"))
	until(t, "a start of opendkim", func() bool { return listens("127.0.0.1:" + n) })
	return "inet:127.0.0.1:" + n
}

func (p *peers) startPostfix(t *testing.T, milter, door string) {
	t.Helper()
	n := port(t)
	etc, inbox := filepath.Join(p.dir, "etc"), filepath.Join(p.dir, "boxes")
	owner, err := user.Lookup("postfix")
	if err != nil {
		t.Skipf("there is no user postfix: %v", err)
	}
	for _, dir := range []string{"queue", "data", "boxes"} {
		if err := os.MkdirAll(filepath.Join(p.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"data", "boxes"} {
		if out, err := exec.Command("chown", owner.Uid+":"+owner.Gid, filepath.Join(p.dir, dir)).CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
	}
	host, doorPort, _ := net.SplitHostPort(door)
	write(t, filepath.Join(etc, "main.cf"), strings.Join([]string{
		"compatibility_level = 3.6", "queue_directory = " + filepath.Join(p.dir, "queue"), "data_directory = " + filepath.Join(p.dir, "data"), "command_directory = /usr/sbin", "daemon_directory = /usr/lib/postfix/sbin",
		"mail_owner = postfix", "setgid_group = postdrop", "myhostname = mx.people.example", "mydestination =", "inet_interfaces = 127.0.0.1", "inet_protocols = ipv4", "mynetworks = 127.0.0.0/8",
		"virtual_mailbox_domains = people.example", "virtual_mailbox_base = " + inbox, "virtual_mailbox_maps = inline:{ {ada@people.example=ada/}, {gone@people.example=gone/} }",
		"virtual_uid_maps = static:" + owner.Uid, "virtual_gid_maps = static:" + owner.Gid, "virtual_minimum_uid = 1",
		"transport_maps = inline:{ {gone@people.example=smtp:[" + host + "]:" + doorPort + "}, {bounces.shop.example=smtp:[" + host + "]:" + doorPort + "} }",
		"smtpd_milters = " + milter, "milter_default_action = tempfail", "milter_protocol = 6", "smtp_host_lookup = native", "smtpd_recipient_restrictions = permit_mynetworks, reject", "bounce_queue_lifetime = 1d",
		"maillog_file = " + filepath.Join(p.dir, "mail.log"), "maillog_file_prefixes = " + p.dir, "alias_maps =", "alias_database =", "smtpd_tls_security_level = none", "smtp_tls_security_level = none",
	}, "\n")+"\n")
	services := "127.0.0.1:" + n + " inet n - n - - smtpd\n"
	for _, s := range []string{
		"cleanup unix n - n - 0 cleanup", "qmgr unix n - n 300 1 qmgr", "rewrite unix - - n - - trivial-rewrite", "bounce unix - - n - 0 bounce", "defer unix - - n - 0 bounce", "trace unix - - n - 0 bounce", "verify unix - - n - 1 verify",
		"proxymap unix - - n - - proxymap", "smtp unix - - n - - smtp", "error unix - - n - - error", "retry unix - - n - - error", "discard unix - - n - - discard", "virtual unix - n n - - virtual", "anvil unix - - n - 1 anvil", "postlog unix-dgram n - n - 1 postlogd",
	} {
		services += s + "\n"
	}
	write(t, filepath.Join(etc, "master.cf"), services)
	run := func(args ...string) {
		t.Helper()
		if out, err := exec.Command(tool("postfix"), append([]string{"-c", etc}, args...)...).CombinedOutput(); err != nil {
			log, _ := os.ReadFile(filepath.Join(p.dir, "mail.log"))
			t.Fatalf("postfix %v: %v\n%s\n%s", args, err, out, log)
		}
	}
	run("start")
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(p.dir, "mail.log"))
			t.Logf("postfix said:\n%s", log)
		}
		exec.Command(tool("postfix"), "-c", etc, "stop").Run() // it may be down already
	})
	p.smtp = "127.0.0.1:" + n
	until(t, "a start of Postfix", func() bool { return listens(p.smtp) })
}

// mails returns what lies in ada's mailbox.
func (p *peers) mails(t *testing.T) (list []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(p.dir, "boxes", "ada", "new", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, string(b))
	}
	return list
}
