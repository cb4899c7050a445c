package program_test

import (
	"reflect"
	"testing"

	"rapport/internal/program"
)

func TestUsesOfASegmentAreAllThatNameIt(t *testing.T) {
	t.Parallel()
	src, err := program.New([]program.File{
		{Path: "campaigns/sale.yaml", Body: "campaign: sale\naudience: {segment: vip}\n"},
		{Path: "journeys/hello.yaml", Body: "journey: hello\ntrigger:\n  - segment: vip\nexit:\n  - {not_in_segment: vip}\n"},
		{Path: "segments/vip.yaml", Body: "when: {not: {segment: vip2}}\n---\nsegment: best\nwhen:\n  all:\n    - {segment: vip}\n"},
		{Path: "segments/list.yaml", Body: "- segment: vip\n  when: {did: A}\n- segment: other\n  when: {segment: other-still}\n"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []program.Use{
		{Kind: "campaign", Name: "sale", File: "campaigns/sale.yaml", Line: 2},
		{Kind: "journey", Name: "hello", File: "journeys/hello.yaml", Line: 3},
		{Kind: "journey", Name: "hello", File: "journeys/hello.yaml", Line: 5},
		{Kind: "segment", Name: "best", File: "segments/vip.yaml", Line: 6},
	}
	if got := src.Uses("vip"); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	if got := src.Uses("other"); len(got) != 0 {
		t.Errorf("a definition uses itself: %v", got)
	}
}
