package main

import (
	"bytes"
	"encoding/json"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rapport/internal/mailcatcher"
)

// say runs a command line and returns what it prints.
func say(t *testing.T, want int, args ...string) (out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	if code := command(t.Context(), args, &o, &e); code != want {
		t.Fatalf("rapport %s = %d, want %d\n%s%s", strings.Join(args, " "), code, want, o.String(), e.String())
	}
	return o.String(), e.String()
}

// caught leaves a mail to each address as the built-in catcher keeps them.
func caught(t *testing.T, data string, to ...string) {
	t.Helper()
	c, err := mailcatcher.New(mailcatcher.Options{Keep: filepath.Join(data, mailsFile)})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	for _, rcpt := range to {
		raw := "From: shop@shop.example\r\nTo: " + rcpt + "\r\nSubject: Hello\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\nMessage-ID: <" + rcpt + ">\r\n\r\nHello\r\n"
		if err := smtp.SendMail(c.Addr(), nil, "shop@shop.example", []string{rcpt}, []byte(raw)); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// Item 64 by the commands that an operator has.
func TestItem64AnOperatorErasesProvesAndRestores(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	data, backup, file := filepath.Join(root, "data"), filepath.Join(root, "backup"), filepath.Join(root, "orders.csv")
	const header = "order,date,sku,quantity,price,customer,email\n"
	const hers = "1,2026-01-02,LAMP,1,20,cust-ada-1,ada-lovelace@shop.example\n"
	if err := os.WriteFile(file, []byte(header+hers+"2,2026-01-03,MUG,1,5,cust-bob-2,bob@shop.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	say(t, exitDone, "import", "orders", file, "--data", data, "--currency", "GBP")
	say(t, exitDone, "backup", backup, "--data", data)

	out := filepath.Join(root, "hers")
	say(t, exitDone, "export-person", "ada-lovelace@shop.example", "--data", data, "--out", out)
	document, err := os.ReadFile(filepath.Join(out, "person.json"))
	if err != nil || !strings.Contains(string(document), "LAMP") || strings.Contains(string(document), "bob@") {
		t.Errorf("her dossier is %.300s, %v", document, err)
	}

	caught(t, data, "ada-lovelace@shop.example", "bob@shop.example")
	said, _ := say(t, exitDone, "erase", "ada-lovelace@shop.example", "--data", data, "--prove", "--json")
	var r erasure
	if err := json.Unmarshal([]byte(said), &r); err != nil || !r.Swept || r.Before == 0 || r.After != 0 || len(r.Looked) != 2 || r.Homes < 2 {
		t.Errorf("the erasure says %s, %v", said, err)
	}
	if c, err := mailcatcher.New(mailcatcher.Options{Keep: filepath.Join(data, mailsFile)}); err != nil {
		t.Error(err)
	} else if bobs, err := c.Mail(2); err != nil || len(bobs.Rcpt) != 1 || c.Close() != nil {
		t.Errorf("bob's caught mail is %+v, %v", bobs, err)
	}
	say(t, exitFailed, "why", "ada-lovelace@shop.example", "--data", data)
	say(t, exitFailed, "erase", "ada-lovelace@shop.example", "--data", data)

	// The same import again: hers is reported erased, bob's changes nothing.
	say(t, exitFailed, "import", "orders", file, "--data", data, "--currency", "GBP")
	report, err := os.ReadFile(file + ".errors.csv")
	if err != nil || !strings.Contains(string(report), "erased") || strings.Contains(string(report), "ada-lovelace") {
		t.Errorf("the report is %s, %v", report, err)
	}

	restored := filepath.Join(root, "restored")
	say(t, exitMisuse, "restore", backup, "--data", restored)
	said, _ = say(t, exitDone, "restore", backup, "--data", restored, "--erasures", filepath.Join(data, "erasures"), "--json")
	if !strings.Contains(said, `"again":1`) {
		t.Errorf("the restore says %s", said)
	}
	for _, dir := range []string{data, restored} {
		say(t, exitFailed, "why", "ada-lovelace@shop.example", "--data", dir)
		dump, _ := say(t, exitDone, "dump", "events", "--data", dir)
		if strings.Contains(dump, "ada-lovelace") || !strings.Contains(dump, "bob@shop.example") {
			t.Errorf("in %s the events are %s", dir, dump)
		}
	}
	say(t, exitFailed, "restore", backup, "--data", restored, "--nobody-erased")
}
