package profile_test

import (
	"fmt"
	"reflect"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
)

func listed(id, name string, at event.Time, trust event.Trust, list string) event.Event {
	return event.Event{ID: event.ID(id), Type: event.Track, Name: name, At: at, Trust: trust, Props: object("list", list)}
}

func owned(id, name string, at event.Time, trust event.Trust, key, status string) event.Event {
	return event.Event{ID: event.ID(id), Type: event.Track, Name: name, At: at, Trust: trust, Props: object("type", "pet", "id", key, "properties", object("status", status))}
}

func TestTheNewestWordOnAListStandsInWhateverOrderTheyCome(t *testing.T) {
	t.Parallel()
	first, second := listed("a", event.ListJoined, noon, event.Server, "press"), listed("b", event.ListLeft, noon.Add(hour), event.Server, "press")
	one := fold(profile.New(identity.ID{1}), first, second)
	other := fold(profile.New(identity.ID{1}), second, first)
	if in, since := one.OnList("press"); in || since != noon.Add(hour) {
		t.Errorf("on the list: %v since %s", in, since)
	}
	if !reflect.DeepEqual(one.Lists, other.Lists) {
		t.Errorf("%+v, and in the other order %+v", one.Lists, other.Lists)
	}
	if in, since := one.OnList("pressed"); in || since != 0 {
		t.Error("on a list that nobody spoke of")
	}
}

func TestOfTwoWordsAtOneInstantTheOneHeardLaterStands(t *testing.T) {
	t.Parallel()
	for i := range 20 { // by no accident of the ids
		p := fold(profile.New(identity.ID{1}), listed(fmt.Sprint("a", i), event.ListJoined, noon, event.Server, "press"), listed(fmt.Sprint("b", i), event.ListLeft, noon, event.Server, "press"))
		if in, _ := p.OnList("press"); in {
			t.Fatal("the first word stands")
		}
	}
}

func TestAPageNeitherListsNorGives(t *testing.T) {
	t.Parallel()
	p := fold(profile.New(identity.ID{1}), listed("a", event.ListJoined, noon, event.Public, "vip"), owned("b", event.ObjectUpdated, noon, event.Public, "rex", "free"))
	if len(p.Lists) != 0 || len(p.Objects) != 0 {
		t.Errorf("a page's key made %+v, %+v", p.Lists, p.Objects)
	}
	e := listed("c", event.ListJoined, noon, event.Public, "vip")
	own := *p
	if f := own.Fold(&e, noon); len(f.Refused) != 1 || len(f.Kept) != 0 {
		t.Errorf("the refusal is not told: %+v", f)
	}
}

func TestAFullListOfListsForgetsThoseThatWereLeft(t *testing.T) {
	t.Parallel()
	var events []event.Event
	for i := range profile.MaxLists {
		name := event.ListJoined
		if i == 7 || i == 9 {
			name = event.ListLeft
		}
		events = append(events, listed(fmt.Sprint(i), name, noon.Add(hour), event.Server, fmt.Sprintf("list %03d", i)))
	}
	p := fold(profile.New(identity.ID{1}), events...)
	p = fold(p, listed("x", event.ListJoined, noon, event.Server, "x"), listed("y", event.ListJoined, noon, event.Server, "y"), listed("z", event.ListJoined, noon, event.Server, "z"))
	x, _ := p.OnList("x")
	y, _ := p.OnList("y")
	z, _ := p.OnList("z")
	if len(p.Lists) != profile.MaxLists || !x || !y || z {
		t.Errorf("%d lists, x %v, y %v, z %v; z has no room", len(p.Lists), x, y, z)
	}
}

func TestAnObjectIsWhatItsNewestEventSays(t *testing.T) {
	t.Parallel()
	a, b, gone := owned("a", event.ObjectUpdated, noon, event.Server, "rex", "ill"), owned("b", event.ObjectUpdated, noon.Add(hour), event.Server, "rex", "well"), owned("c", event.ObjectRemoved, noon.Add(2*hour), event.Server, "rex", "")
	p := fold(profile.New(identity.ID{1}), b, a, owned("d", event.ObjectUpdated, noon, event.Server, "tom", "well"))
	list := p.ObjectsOf("pet")
	if len(list) != 2 || list[0].Props.Text("status") != "well" || len(p.ObjectsOf("pe")) != 0 {
		t.Fatalf("%+v", list)
	}
	p = fold(p, gone, owned("e", event.ObjectUpdated, noon, event.Server, "rex", "back"))
	if rex := p.ObjectsOf("pet")[0]; !rex.Gone || rex.Props != "" {
		t.Errorf("a word that came late brought back %+v", rex)
	}
}

func TestWhatIsGoneMakesRoomForObjectsFirst(t *testing.T) {
	t.Parallel()
	var events []event.Event
	for i := range profile.MaxObjects {
		events = append(events, owned(fmt.Sprint(i), event.ObjectUpdated, noon.Add(hour), event.Server, fmt.Sprintf("%03d", i), "well"))
	}
	p := fold(profile.New(identity.ID{1}), events...)
	p = fold(p, owned("g", event.ObjectRemoved, noon.Add(2*hour), event.Server, "050", ""), owned("n", event.ObjectUpdated, noon, event.Server, "new", "well"))
	if list := p.ObjectsOf("pet"); len(list) != profile.MaxObjects || list[50].ID != "051" || list[len(list)-1].ID != "new" {
		t.Errorf("%d objects, the 51st %s", len(list), list[50].ID)
	}
}

func TestStrandsThatJoinShareListsAndObjects(t *testing.T) {
	t.Parallel()
	left := fold(profile.New(identity.ID{1}), listed("a", event.ListJoined, noon, event.Server, "press"), owned("b", event.ObjectUpdated, noon, event.Server, "rex", "ill"))
	right := fold(profile.New(identity.ID{2}), listed("c", event.ListLeft, noon.Add(hour), event.Server, "press"), owned("d", event.ObjectUpdated, noon.Add(hour), event.Server, "rex", "well"))
	one, other := *left, *right
	one.Join(right)
	other.Join(left)
	if in, _ := one.OnList("press"); in || one.ObjectsOf("pet")[0].Props.Text("status") != "well" {
		t.Errorf("%+v, %+v", one.Lists, one.Objects)
	}
	if !reflect.DeepEqual(one.Lists, other.Lists) || !reflect.DeepEqual(one.Objects, other.Objects) {
		t.Error("it matters who joins whom")
	}
}
