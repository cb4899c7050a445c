package faults_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestACustomerLeavesASegmentAtTheInstantWithNoTrafficAtAll(t *testing.T) {
	t.Parallel()
	const window, bound = 3 * time.Second, time.Second
	h, _ := newShop(t)
	h.start(options{})
	var late time.Duration
	for try := range 3 { // a busy machine may lose a second; never three times
		user := fmt.Sprint("ada", try)
		before := time.Now()
		if !h.insist(t.Context(), view("v-"+user, user)) {
			t.Fatal("the event was not taken")
		}
		after := time.Now()
		id := h.idOf(user).String()
		in := func() bool {
			status, page := h.get("/segments/around")
			if status != 200 {
				t.Fatalf("the segment's page answers %d", status)
			}
			return strings.Contains(page, id)
		}
		until(t, user+" is in the segment", in)
		until(t, user+" has left the segment", func() bool { return !in() })
		left := time.Now()
		if left.Before(before.Add(window)) {
			t.Fatalf("%s left after %v, want not before %v", user, left.Sub(before), window)
		}
		if late = left.Sub(after.Add(window)); late <= bound {
			t.Logf("left %v after the instant", late)
			return
		}
	}
	t.Errorf("left %v after the instant, want at most %v", late, bound)
}
