package profile_test

import (
	"bytes"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
)

// changed returns everything with one field set to what it is not, by the field's
// place in the struct.
func changed(field int) *profile.Profile {
	p := *everything()
	v := reflect.ValueOf(&p).Elem().Field(field)
	switch v.Kind() {
	case reflect.Slice:
		if v.Len() == 0 { // what waits behind another list
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			break
		}
		v.Set(reflect.Zero(v.Type()))
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Int32, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Uint64:
		v.SetUint(v.Uint() + 1)
	default:
		v.Set(reflect.Zero(v.Type()))
	}
	return &p
}

// A store writes the rest only when SameRest says no: a field of the rest that it
// does not look at would be lost at the next start.
func TestAChangeOfTheRestIsNeverTakenForNone(t *testing.T) {
	t.Parallel()
	old := everything()
	for i := range reflect.TypeFor[profile.Profile]().NumField() {
		name, p := reflect.TypeFor[profile.Profile]().Field(i).Name, changed(i)
		p0 := *old
		reflect.ValueOf(&p0).Elem().Field(i).Set(reflect.ValueOf(p).Elem().Field(i))
		restChanged := !bytes.Equal(p0.AppendRest(nil), old.AppendRest(nil))
		hotChanged := !bytes.Equal(p0.AppendHot(nil), old.AppendHot(nil))
		if !restChanged && !hotChanged {
			t.Errorf("%s is in neither part", name)
		}
		if same := p0.SameRest(old); same == restChanged {
			t.Errorf("%s changed: the rest differs: %v, SameRest = %v", name, restChanged, same)
		}
	}
}

// A sweep does not write who is the same: a field that Same does not look at would be
// lost when the process ends.
func TestAnyChangeButOfTheProgramIsSeen(t *testing.T) {
	t.Parallel()
	old := everything()
	for i := range reflect.TypeFor[profile.Profile]().NumField() {
		name, p := reflect.TypeFor[profile.Profile]().Field(i).Name, *old
		to := reflect.ValueOf(changed(i)).Elem().Field(i)
		if to.Kind() == reflect.Slice && reflect.ValueOf(old).Elem().Field(i).Len() == 0 {
			to = reflect.MakeSlice(to.Type(), 1, 1)
		}
		reflect.ValueOf(&p).Elem().Field(i).Set(to)
		if p.Same(old) != (name == "Program") {
			t.Errorf("%s changed: Same = %v", name, p.Same(old))
		}
	}
}

func TestAnInstanceIsSplitWithoutLoss(t *testing.T) {
	t.Parallel()
	old := everything()
	of := reflect.TypeFor[profile.Instance]()
	for i := range of.NumField() {
		p := *old
		p.Journeys = []profile.Instance{old.Journeys[0]}
		reflect.ValueOf(&p.Journeys[0]).Elem().Field(i).SetZero()
		restChanged := !bytes.Equal(p.AppendRest(nil), old.AppendRest(nil))
		hotChanged := !bytes.Equal(p.AppendHot(nil), old.AppendHot(nil))
		if restChanged == hotChanged {
			t.Errorf("%s changes the rest: %v, the hot part: %v", of.Field(i).Name, restChanged, hotChanged)
		}
		if p.SameRest(old) == restChanged {
			t.Errorf("%s: SameRest = %v", of.Field(i).Name, !restChanged)
		}
	}
}

func TestEventsThatChangeNothingOfTheRestLeaveItTheSame(t *testing.T) {
	t.Parallel()
	p := fold(everything(), order("o9", event.OrderCompleted, noon, "currency", "GBP", "products", []event.Object{object("sku", "lamp", "price", 3)}))
	view := event.Event{ID: "v", Type: event.Track, Name: event.ProductViewed, At: noon, Raw: noon, Trust: event.Server, Context: object("locale", "fr")}
	if after := fold(p, view); !after.SameRest(p) {
		t.Error("a look at a product writes the rest")
	}
	if p.SameRest(everything()) {
		t.Error("an order does not write the rest")
	}
}

// Whatever happens to a customer: if the rest is called the same, its bytes are.
func TestTheSameRestHasTheSameBytes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := seldom(t)
		p := grown(r, 1, 0, 20)
		for i := range 40 {
			next := fold(p, customer(r, 100+i))
			if i%9 == 0 {
				own := *next
				own.Join(grown(r, 2, 200+i, 3))
				next = &own
			}
			if next.SameRest(p) && !bytes.Equal(next.AppendRest(nil), p.AppendRest(nil)) {
				t.Fatalf("the rest changed unseen:\n%+v\n%+v", p, next)
			}
			p = next
		}
	})
}

func TestAPartWithoutTheOtherIsDamage(t *testing.T) {
	t.Parallel()
	p := everything()
	hot, rest := string(p.AppendHot(nil)), string(p.AppendRest(nil))
	if got, err := profile.Decode(hot + rest); err != nil || !reflect.DeepEqual(got, p) || !profile.InParts(hot+rest) {
		t.Fatalf("the parts together are %+v, %v", got, err)
	}
	if got, err := profile.DecodeParts(hot, rest); err != nil || !reflect.DeepEqual(got, p) {
		t.Fatalf("the parts apart are %+v, %v", got, err)
	}
	for _, odd := range [][2]string{{hot + "x", rest}, {hot, rest + "x"}, {hot, rest[:len(rest)-1]}, {hot[:len(hot)-1], rest}, {string(profile.New(identity.ID{1}).AppendHot(nil)), rest}} {
		if got, err := profile.DecodeParts(odd[0], odd[1]); !fault.Is(err, fault.Corrupt) {
			t.Errorf("damaged parts are %+v, %v", got, err)
		}
	}
	visitor := profile.New(identity.ID{1})
	if n := len(visitor.AppendRest(nil)); n != 0 {
		t.Errorf("a visitor has a rest of %d bytes", n)
	}
	more := everything()
	more.Journeys = append(more.Journeys, more.Journeys[0])
	for name, row := range map[string]string{
		"the hot part alone":           hot,
		"the rest alone":               rest,
		"a rest that nobody announced": string(visitor.AppendHot(nil)) + rest,
		"the rest twice":               hot + rest + rest,
		"the rest of other journeys":   hot + string(more.AppendRest(nil)),
	} {
		if _, err := profile.Decode(row); !fault.Is(err, fault.Corrupt) {
			t.Errorf("%s is read: %v", name, err)
		}
	}
}
