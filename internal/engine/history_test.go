package engine_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"unsafe"

	"github.com/klauspost/compress/zstd"

	"rapport/internal/core/event"
	"rapport/internal/core/wire"
	"rapport/internal/engine"
	"rapport/internal/fault"
)

// visits are n events of which each third is an order.
func visits(n int) (all []engine.Heard) {
	for i := range n {
		e := event.Event{
			ID: event.ID(fmt.Sprintf("web-%08d-%08d", i*7919, i)), Type: event.Track, Name: event.ProductViewed, Anon: "web-7", At: event.Time(1_772_442_000_000 + 61_000*i), Trust: event.Server, Source: "web",
			Props:   (&event.Builder{}).SetText("sku", fmt.Sprint("sku-", i*31%997)).SetText("category", "boots").Set("price", event.Int(int64(10+i%90))).SetText("url", fmt.Sprint("https://shop.example/boots/", i*31%997)).Object(),
			Context: (&event.Builder{}).Set("device", event.Nested((&event.Builder{}).SetText("type", "mobile").Object())).SetText("locale", "en-GB").Object(),
		}
		if i%3 == 2 {
			e.Name, e.User, e.Anon, e.Raw = event.OrderCompleted, "ada", "", e.At-9000
			e.Traits = (&event.Builder{}).SetText("email", "ada@shop.example").Object()
		}
		all = append(all, engine.Heard{Now: e.At + 40, Event: e})
	}
	return all
}

func raw(events []engine.Heard) (raw []byte) {
	for i := range events {
		raw = events[i].Event.Append(wire.Varint(raw, int64(events[i].Now)))
	}
	return raw
}

func TestABlockGivesBackItsEvents(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 3, 20, 100, 1000} {
		want := visits(n)
		block := engine.PackHistory(want)
		got, err := engine.UnpackHistory(block)
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("of %d events %d come back: %v", n, len(got), err)
		}
		orders := slices.DeleteFunc(visits(n), func(h engine.Heard) bool { return h.Event.Name != event.OrderCompleted })
		got, err = engine.UnpackWanted(func(_ event.Type, name string) bool { return name == event.OrderCompleted }, block)
		if err != nil || !slices.Equal(got, orders) {
			t.Fatalf("of %d events come %d orders, want %d: %v", n, len(got), len(orders), err)
		}
		clear(block)
		if len(got) > 0 && got[0] != orders[0] {
			t.Fatal("an event changes with the bytes of its block")
		}
	}
}

func TestADamagedBlockIsCorrupt(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 5, 100} {
		whole := engine.PackHistory(visits(n))
		for at := 0; at < len(whole); at += 1 + len(whole)/500 {
			block := slices.Clone(whole)
			block[at] ^= 0x11
			if _, err := engine.UnpackHistory(block); !fault.Is(err, fault.Corrupt) {
				t.Fatalf("damage at byte %d of %d is not noticed: %v", at, len(block), err)
			}
			if _, err := engine.UnpackHistory(whole[:at]); !fault.Is(err, fault.Corrupt) {
				t.Fatalf("%d of %d bytes are taken for a block: %v", at, len(whole), err)
			}
		}
	}
	for _, block := range []string{"", "\x02", "\x02\x00", "\x02\x02\x00\x00\x00\x00", "\x02\x02\x00\x00\x00\x00\xff\xff\xff\xff\x0f", "\x03\x00", "\x02\x09\x00\x00\x00\x00", "\x00\x00"} {
		if _, err := engine.UnpackHistory([]byte(block)); !fault.Is(err, fault.Corrupt) {
			t.Errorf("%q is taken for a block: %v", block, err)
		}
	}
}

// Of somebody with a block for each commit of a year, no text is copied for the next one.
func TestWhatWasUnpackedIsNotCopiedForTheNextBlock(t *testing.T) {
	events := visits(150)
	block := engine.PackHistory(events)
	blocks, want := slices.Repeat([][]byte{block}, 200), slices.Repeat(events, 200)
	got, err := engine.UnpackWanted(nil, blocks...)
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("of %d events %d come back: %v", len(want), len(got), err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := engine.UnpackWanted(nil, blocks...); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if took, most := after.TotalAlloc-before.TotalAlloc, 8*uint64(len(want))*uint64(len(raw(events))/len(events)+int(unsafe.Sizeof(want[0]))); took > most {
		t.Errorf("reading %d blocks took %d bytes of memory, at most %d are needed", len(blocks), took, most)
	}
}

// Histories are kept for ever: what earlier programs packed must be read.
func TestBlocksOfTheFirstVersionAreRead(t *testing.T) {
	t.Parallel()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	want := visits(9)
	frames := z.EncodeAll(raw(want[4:]), z.EncodeAll(raw(want[:4]), []byte{1, 1})) // nobody wrote two, and nothing breaks of them
	for _, block := range [][]byte{append([]byte{1, 0}, raw(want)...), z.EncodeAll(raw(want), []byte{1, 1}), frames} {
		got, err := engine.UnpackHistory(block)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("a block packed as %d gives %d events of %d: %v", block[1], len(got), len(want), err)
		}
	}
}

// BenchmarkBlocks is what reading a history of many blocks costs.
func BenchmarkBlocks(b *testing.B) {
	blocks := slices.Repeat([][]byte{engine.PackHistory(visits(150))}, 70)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := engine.UnpackWanted(nil, blocks...); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBlock is what packing and unpacking a block costs, by how many events it has.
func BenchmarkBlock(b *testing.B) {
	orders := func(_ event.Type, name string) bool { return name == event.OrderCompleted }
	for _, n := range []int{1, 3, 20, 100, 1000} {
		events := visits(n)
		block := engine.PackHistory(events)
		b.Run(fmt.Sprintf("%d/pack", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				engine.PackHistory(events)
			}
			b.ReportMetric(float64(len(raw(events)))/float64(n), "rawB/event")
			b.ReportMetric(float64(len(block))/float64(n), "B/event")
		})
		for name, wanted := range map[string]func(event.Type, string) bool{"all": nil, "orders": orders, "none": func(event.Type, string) bool { return false }} {
			b.Run(fmt.Sprintf("%d/%s", n, name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := engine.UnpackWanted(wanted, block); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
