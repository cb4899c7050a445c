package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestTheCatcherTakesATestMailAndShowsIt(t *testing.T) {
	t.Parallel()
	_, data := bought(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, said := io.Pipe()
	ended := make(chan int, 1)
	var errs bytes.Buffer
	go func() {
		code := command(ctx, []string{"catcher", "--listen", "127.0.0.1:0", "--pages", "127.0.0.1:0"}, said, &errs)
		said.Close()
		ended <- code
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err, errs.String())
	}
	var smtp, pages string
	if _, err := fmt.Sscanf(line, "mail is taken on %s and shown on %s\n", &smtp, &pages); err != nil {
		t.Fatal(line, err)
	}
	if code, out, errs := rapport(t, "send-test", "welcome", "--customer", "ada", "--to", "boss@shop.example", "--data", data, "--smtp", smtp); code != exitDone {
		t.Fatal(out, errs)
	}
	r, err := http.Get(pages + "mails.json")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if list, err := io.ReadAll(r.Body); err != nil || bytes.Count(list, []byte("\n")) != 1 || !strings.Contains(string(list), `"rcpt":["boss@shop.example"]`) {
		t.Errorf("the list is %s, %v", list, err)
	}
	stop()
	if code := <-ended; code != exitDone {
		t.Errorf("exit %d: %s", code, errs.String())
	}
	for _, args := range [][]string{{"catcher", "--pages", "0.0.0.0:8025"}, {"catcher", "--listen", "0.0.0.0:1025"}} {
		if code, _, errs := rapport(t, args...); code == exitDone || !strings.Contains(errs, "127.0.0.1") {
			t.Errorf("%v: exit %d, %s", args, code, errs)
		}
	}
}
