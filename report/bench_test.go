package report

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// BenchmarkWrite writes the page of 50,000 samples of three modalities.
func BenchmarkWrite(b *testing.B) {
	f := newFixture(b, 50000, []string{"image", "ecg", "labs"}, []string{"home", "ward", "theatre"})
	b.SetBytes(int64(len(f.page(b))))
	b.ReportAllocs()
	for b.Loop() {
		if err := Write(io.Discard, f.ex, f.samples); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBrowser says what a person waits for: until a page is there and the
// explorer answers, and from a key, a choice of class or of order to the picture of
// the new list.
func BenchmarkBrowser(b *testing.B) {
	for _, n := range []int{10, 50000} {
		b.Run(fmt.Sprintf("samples=%d", n), func(b *testing.B) {
			f := newFixture(b, n, []string{"image", "ecg", "labs"}, []string{"home", "ward", "theatre"})
			page := f.page(b)
			tb := openTab(b)
			// Until the frame after the change has been drawn.
			const timed = `(change => new Promise(done => { const start = performance.now(); change(); requestAnimationFrame(() => { const c = new MessageChannel(); c.port1.onmessage = () => done(performance.now() - start); c.port2.postMessage(0); }); }))`
			set := func(id, value, event string) string {
				return timed + fmt.Sprintf(`(() => { const e = document.getElementById(%q); e.value = %q; e.dispatchEvent(new Event(%q)); })`, id, value, event)
			}
			var open time.Duration
			var search, class, sort, scroll, runs float64
			for b.Loop() {
				tb.do(chromedp.Navigate("about:blank"))
				start := time.Now()
				tb.open(page)
				if eval[string](tb, `document.documentElement.dataset.ready`) != "yes" {
					b.Fatal("the explorer is not ready")
				}
				open += time.Since(start)
				search += eval[float64](tb, set("search", "0001", "input"))
				eval[float64](tb, set("search", "", "input"))
				class += eval[float64](tb, set("class", "1", "change"))
				eval[float64](tb, set("class", "", "change"))
				sort += eval[float64](tb, set("sort", "pair", "change"))
				scroll += eval[float64](tb, timed+`(() => { const l = document.getElementById("list"); l.scrollTop = l.scrollHeight / 2; })`)
				runs++
			}
			b.ReportMetric(float64(open.Milliseconds())/runs, "ms-to-open")
			b.ReportMetric(search/runs, "ms-to-search")
			b.ReportMetric(class/runs, "ms-to-filter")
			b.ReportMetric(sort/runs, "ms-to-sort")
			b.ReportMetric(scroll/runs, "ms-to-scroll")
			b.ReportMetric(float64(len(page))/1e6, "MB")
		})
	}
}
