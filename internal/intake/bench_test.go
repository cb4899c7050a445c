package intake_test

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/intake"
)

// sdkBatch returns a body as Segment's SDK for node sends it: n events of about
// 500 bytes.
func sdkBatch(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"batch":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"messageId":"node-next-1767225600%03d-6f1b2a34-0b5e-4f8a-9d3c-5e7a90b1c2d3","timestamp":"2026-03-01T09:30:%02d.123Z",`+
			`"type":"track","userId":"u%d","event":"Product Viewed","properties":{"product_id":"p%d","sku":"SKU-%d","category":"Shoes","name":"Trail boot %d","brand":"Acme","variant":"42","price":99.9,"quantity":1,"currency":"GBP","position":3,"url":"https://shop.example/p/%d"},`+
			`"integrations":{},"context":{"library":{"name":"@segment/analytics-node","version":"3.1.0"}},"_metadata":{"nodeVersion":"22.1.0","jsRuntime":"node"}}`,
			i, i%60, i, i, i, i, i)
	}
	b.WriteString(`],"writeKey":"rp_w_x","sentAt":"2026-03-01T09:31:00.000Z"}`)
	return b.Bytes()
}

func BenchmarkDecodeBatch(b *testing.B) {
	body := sdkBatch(20)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		out, err := intake.DecodeBatch(body, intake.Defaults{Received: noon, Source: "web"})
		if err != nil || out[19].Reject != nil {
			b.Fatal(err, out)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(20*b.N), "ns/event")
	b.ReportMetric(float64(len(body))/20, "bytes/event")
}

func BenchmarkRequest(b *testing.B) {
	h := newHarness(b)
	h.keep = false
	body := sdkBatch(20)
	b.ReportAllocs()
	for b.Loop() {
		h.now.Add(1) // or the rate limit would end the benchmark
		r := httptest.NewRequest("POST", "/v1/batch", bytes.NewReader(body))
		r.SetBasicAuth(h.write, "")
		w := httptest.NewRecorder()
		h.server.ServeHTTP(w, r)
		if w.Code != 200 {
			b.Fatal(w.Code, w.Body)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(20*b.N), "ns/event")
}

var noon = event.Time(1_772_366_400_000) // 2026-03-01T12:00:00Z
