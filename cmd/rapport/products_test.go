package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rapport/internal/fault"
)

// A shop does not stop its server each night to bring its products.
func TestProductsAreBroughtToTheServerThatUsesTheDirectory(t *testing.T) {
	t.Parallel()
	var asked []string
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		asked = append(asked, r.URL.Path+" "+r.URL.Query().Get("source")+" "+r.URL.Query().Get("complete")+" "+string(b))
		if r.URL.Query().Get("most_gone") == "1" {
			w.WriteHeader(400)
			io.WriteString(w, `{"detail":"the file leaves out 990 of the 1000 products"}`)
			return
		}
		io.WriteString(w, `{"format":"google","encoding":"utf-8","products":3,"variants":3,"refused":1,"taken":3,"changes":2,"gone":1,"problems":[{"line":4,"id":"x","reason":"it has no price"}]}`)
	}))
	t.Cleanup(web.Close)
	file := filepath.Join(t.TempDir(), "feed.csv")
	if err := os.WriteFile(file, []byte("the feed"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := rapport(t, "import", "products", file, "--server", web.URL, "--key", "rp_s_x", "--source", "pim", "--complete")
	if code != exitFailed || !strings.Contains(out, "google: 3 products with 3 variants are in the catalogue; 2 changes to tell, 1 not sold any more") || !strings.Contains(out, `line 4: "x": it has no price`) || !strings.Contains(errs, "1 of 4 products were left out") {
		t.Errorf("exit %d: %s %s", code, out, errs)
	}
	if len(asked) != 1 || asked[0] != "/api/v1/products/feed pim true the feed" {
		t.Errorf("the server was asked %q", asked)
	}
	if report, err := os.ReadFile(file + ".errors.csv"); err != nil || string(report) != "line,id,reason\n4,x,it has no price\n" {
		t.Errorf("the report is %q, %v", report, err)
	}
	if code, out, errs := rapport(t, "import", "products", file, "--server", web.URL, "--key", "rp_s_x", "--complete", "--most-gone", "1"); code != exitFailed || !strings.Contains(errs, "leaves out 990") || out != "" {
		t.Errorf("exit %d: %s %s", code, out, errs)
	}
	if code, _, errs := rapport(t, "import", "products", file, "--most-gone", "0", "--dry-run"); code != exitMisuse || !strings.Contains(errs, "--most-gone") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

func TestWhatWentWrongIsSaidOnce(t *testing.T) {
	t.Parallel()
	cause := errors.New("the header has no column SessionId")
	for want, err := range map[string]error{
		"clicks.tsv: the header has no column SessionId":              fault.Wrap(fault.Invalid, cause, "clicks.tsv: the header has no column SessionId"),
		"the file cannot be read: the header has no column SessionId": fault.Wrap(fault.Invalid, cause, "the file cannot be read"),
		"reading clicks: the header has no column SessionId":          fmt.Errorf("reading clicks: %w", cause),
		"the file is empty": fault.New(fault.Invalid, "the file is empty"),
	} {
		if got := explain(err); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
