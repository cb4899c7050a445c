package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestScoreSaysWhatACustomersScoreIsMadeOf(t *testing.T) {
	t.Parallel()
	_, data := bought(t)
	code, out, errs := rapport(t, "score", "ada", "--data", data)
	if code != exitDone || !strings.Contains(out, "Engagement: ") || !strings.Contains(out, "completed an order (1 times, 20 points each)") || !strings.Contains(out, "2026-01-02 00:00  Order Completed: 20 then") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	code, out, errs = rapport(t, "score", "show", "ada", "--data", data, "--json")
	var s struct {
		Scores []struct {
			Score string
			Value float64
		}
	}
	if err := json.Unmarshal([]byte(out), &s); code != exitDone || err != nil || len(s.Scores) != 3 {
		t.Errorf("exit %d: %s%s, %v", code, out, errs, err)
	}
	if code, _, errs := rapport(t, "score", "nobody", "--data", data); code != exitFailed {
		t.Errorf("the score of nobody: exit %d %s", code, errs)
	}
}

func TestScorePreviewSaysWhoseTierWouldChange(t *testing.T) {
	t.Parallel()
	dir, data := bought(t)
	file := filepath.Join(dir, "loyalty.yaml")
	if err := os.WriteFile(file, []byte("score: loyalty\npoints: [{did: Order Completed, give: 10}]\ntiers: [{tier: silver, from: 10}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := rapport(t, "score", "preview", file, "--data", data)
	if code != exitDone || !strings.Contains(out, "loyalty is added; 1 change tier: 1 up, 0 down (of 1 customers; 0.00 points on average before, 10.00 after)") || !strings.Contains(out, "no tier → silver") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if err := os.WriteFile(file, []byte("score: loyalty\npoints: [{did: Order Completed}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs = rapport(t, "score", "preview", file, "--data", data)
	if code != exitFailed || !strings.Contains(out, "scores/loyalty.yaml:2:") || !strings.Contains(out, "it is not said how many points this gives") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}
