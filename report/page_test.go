package report

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/intershap/intershap/diag"
)

// hostile are names that a stranger chose: markup that would run, ends of what holds
// them, marks that turn text around.
var hostile = []string{
	`<img src=x onerror=hacked=1>`, `</script><script>hacked=1</script>`, `"><svg onload=hacked=1>`,
	`'-(hacked=1)-'`, `{{.}}</style><style>*{display:none}</style>`, "a\u202eb\x00\x1b[2J\u2028", `<!--<script>`, `&lt;b&gt;`,
	`javascript:hacked=1`, `__proto__`,
}

// hostileFixture has such a name wherever a name comes from outside.
func hostileFixture(t testing.TB) fixture {
	f := newFixture(t, 60, hostile[:3], hostile[3:6]).withOrders(t, 3)
	copy(f.samples.IDs, hostile)
	from := &f.ex.Provenance
	from.Command, from.Version, from.Output, from.Task, from.Transform = hostile[0], hostile[1], hostile[2], hostile[3], hostile[4]
	from.Model.Source, from.Model.SHA256, from.Data.Source.Source, from.Background.Source.Source = "x/"+hostile[0], hostile[1], hostile[6], hostile[7]
	from.Background.Mask, from.Index, from.Plan, from.Runtime = hostile[5], hostile[6], hostile[7], hostile[0]
	f.ex.Targets[0].Target = hostile[0]
	f.ex.Warnings = []diag.Warning{{ID: hostile[0], Subject: hostile[0], Text: hostile[1]}}
	return f
}

const hacked = `typeof hacked !== "undefined" || document.querySelectorAll("img, iframe, object").length > 0 || document.scripts.length !== 1 || document.styleSheets.length !== 1`

func TestHostileNames(t *testing.T) {
	f := hostileFixture(t)
	// Samples have a convention that is known; without them any text may stand there.
	bare := fixture{ex: f.ex}
	bare.ex.Provenance.Convention = hostile[1]
	if strings.Contains(string(bare.page(t)), hostile[1]) {
		t.Error("want the convention escaped")
	}
	bare.ex.Provenance.Convention = "paper"
	page := f.page(t)
	document, _ := data(t, page)
	if strings.ContainsAny(document, "<>&\u2028") {
		t.Error("want nothing in the samples that ends the element that holds them")
	}
	tb := openTab(t)
	address := tb.open(page)
	for k := range 8 {
		eval[bool](tb, fmt.Sprintf(`(() => { document.getElementById("sample-%d").click(); return true; })()`, k))
		if eval[bool](tb, hacked) {
			t.Fatalf("a name ran: %s", hostile[k])
		}
	}
	said := eval[string](tb, `document.body.textContent`)
	for _, name := range []string{hostile[0], hostile[1], hostile[2], `a\u202eb\x00\x1b[2J\u2028`, hostile[7]} {
		if !strings.Contains(said, name) {
			t.Errorf("want the name shown: %s", name)
		}
	}
	if strings.ContainsAny(said, "\u202e\x1b") {
		t.Error("want no character that turns text around")
	}
	clean(t, tb, address)
	f.samples = nil
	file := hostile[1]
	f.ex.SamplesFile = &file
	tb = openTab(t)
	address = tb.open(f.page(t))
	if eval[bool](tb, hacked) {
		t.Error("a name ran in the page without samples")
	}
	clean(t, tb, address)
}

// Were a name ever written as it is, the policy would keep it from running, and these
// tests would tell.
func TestPolicyHolds(t *testing.T) {
	page := newFixture(t, 3, []string{"a", "b"}, nil).page(t)
	for _, attack := range []string{
		`<img src="http://127.0.0.1:9/x" onerror="hacked=1">`, `<script>hacked=1</script>`, `<svg onload="hacked=1"></svg>`,
	} {
		tb := openTab(t)
		address := tb.open(bytes.Replace(page, []byte("<main>"), []byte("<main>"+attack), 1))
		if eval[bool](tb, `typeof hacked !== "undefined"`) {
			t.Errorf("%s: want it kept from running", attack)
		}
		if len(tb.amiss(address)) == 0 {
			t.Errorf("%s: want it told on the console", attack)
		}
	}
	tb := openTab(t)
	tb.open(page)
	if got := eval[string](tb, `(() => { try { document.body.innerHTML = "<b>x</b>"; return "made"; } catch (e) { return e.name; } })()`); got != "TypeError" {
		t.Errorf("want no elements made from text, got %s", got)
	}
	if got := eval[string](tb, `fetch("http://127.0.0.1:9/").then(() => "asked", () => "refused")`); got != "refused" {
		t.Errorf("want no request, got %s", got)
	}
}

func TestKeyboard(t *testing.T) {
	f := newFixture(t, 200, []string{"image", "ecg"}, []string{"home", "ward"})
	tb := openTab(t)
	address := tb.open(f.page(t))
	const focused = `(() => { const e = document.activeElement; return e.id || e.className || e.getAttribute("href") || e.getAttribute("aria-label") || e.textContent; })()`
	var order []string
	for range 60 {
		tb.do(chromedp.KeyEvent(kb.Tab))
		at := eval[string](tb, focused)
		order = append(order, at)
		if ring := eval[string](tb, `getComputedStyle(document.activeElement).outlineStyle`); ring == "none" {
			t.Errorf("%s: want to see where the focus is", at)
		}
		if at == "list" {
			break
		}
	}
	if order[0] != "skip" || order[1] != "#verdict" || !slices.Equal(order[max(0, len(order)-4):], []string{"search", "class", "sort", "list"}) {
		t.Errorf("want the skip link, the contents, and at the end the controls and the list, got %q", order)
	}
	at := func(reason string, want int) {
		t.Helper()
		got := eval[string](tb, `(() => { const id = list.getAttribute("aria-activedescendant"), r = document.getElementById(id), b = r.getBoundingClientRect(), l = list.getBoundingClientRect(); return [r.getAttribute("aria-posinset"), r.getAttribute("aria-selected"), document.getElementById("detail-h").textContent, b.top >= l.top - 1 && b.bottom <= l.bottom + 1].join(" "); })()`)
		if want := fmt.Sprintf("%d true Sample %s true", want+1, f.samples.IDs[want]); got != want {
			t.Errorf("%s: want %q, got %q", reason, want, got)
		}
	}
	at("the first is chosen", 0)
	tb.do(chromedp.KeyEvent(kb.ArrowDown + kb.ArrowDown))
	at("down", 2)
	tb.do(chromedp.KeyEvent(kb.ArrowUp))
	at("up", 1)
	tb.do(chromedp.KeyEvent(kb.End))
	at("the last", 199)
	tb.do(chromedp.KeyEvent(kb.ArrowDown))
	at("no further", 199)
	tb.do(chromedp.KeyEvent(kb.Home))
	at("the first", 0)
	tb.do(chromedp.KeyEvent(kb.PageDown))
	if got := eval[int](tb, `Number(document.querySelector('[aria-selected="true"]').getAttribute("aria-posinset"))`); got < 5 || got > 15 {
		t.Errorf("a page down: want about a window of rows, got row %d", got)
	}
	tb.do(chromedp.KeyEvent(kb.PageUp))
	at("a page up", 0)
	clean(t, tb, address)
}

func TestWithoutScript(t *testing.T) {
	f := newFixture(t, 20, []string{"image", "ecg", "labs"}, []string{"home", "ward"})
	tb := openTab(t)
	if _, err := chromedp.Call(tb, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	address := tb.open(f.page(t))
	said := eval[string](tb, `document.body.innerText`)
	for _, want := range []string{"of what the modalities do to this output", "base value", "image × ecg", "The local score of 20 samples", "needs JavaScript", "sha256"} {
		if !strings.Contains(said, want) {
			t.Errorf("want %q without a program", want)
		}
	}
	if strings.Contains(said, "Search an id") {
		t.Error("want no controls that do nothing")
	}
	clean(t, tb, address)
}

// What a reader of screens needs: names for all that it stops at.
const unreadable = `(() => {
  const bad = [];
  const named = e => e.getAttribute("aria-label") || (e.getAttribute("aria-labelledby") ?? "").split(" ").every(id => document.getElementById(id)) && e.getAttribute("aria-labelledby");
  if (document.querySelectorAll("h1").length !== 1) bad.push("want one h1");
  let level = 0;
  for (const h of document.querySelectorAll("h1, h2, h3, h4")) { const l = Number(h.tagName[1]); if (l > level + 1) bad.push("skips a level: " + h.textContent); level = l; }
  for (const s of document.querySelectorAll("section, nav, [role=region], [role=search], [role=listbox]")) if (!named(s)) bad.push("no name: " + s.outerHTML.slice(0, 80));
  for (const s of document.querySelectorAll("table")) if (!s.caption && !named(s)) bad.push("no caption: " + s.outerHTML.slice(0, 80));
  for (const s of document.querySelectorAll("svg")) if (s.getAttribute("aria-hidden") !== "true" && !(s.getAttribute("role") === "img" && s.querySelector(":scope > title")?.textContent.trim())) bad.push("picture without a title: " + s.outerHTML.slice(0, 80));
  for (const s of document.querySelectorAll("input, select")) if (!s.labels.length) bad.push("no label: " + s.id);
  for (const s of document.querySelectorAll("th")) if (!s.textContent.trim() || !s.scope) bad.push("empty head or no scope: " + s.outerHTML.slice(0, 120));
  for (const tag of ["header", "nav", "main", "footer"]) if (document.querySelectorAll("body > " + tag).length !== 1) bad.push("want one " + tag);
  const ids = [...document.querySelectorAll("[id]")].map(e => e.id);
  if (new Set(ids).size !== ids.length) bad.push("an id stands twice: " + ids.filter((id, i) => ids.indexOf(id) !== i));
  for (const a of document.querySelectorAll("a")) if (!document.querySelector(a.getAttribute("href"))) bad.push("leads nowhere: " + a.outerHTML);
  if (!document.documentElement.lang) bad.push("no language");
  if (document.getElementById("explorer") && document.getElementById("said").getAttribute("aria-live") !== "polite") bad.push("the chosen sample is not told");
  return bad;
})()`

func TestReadable(t *testing.T) {
	f := newFixture(t, 200, strings.Split("abcdefg", ""), slices.Concat(hostile, strings.Split("abcdefghijkl", ""))).withOrders(t, 3)
	f.ex.Warnings = []diag.Warning{{ID: "few-samples", Subject: "predicted", Text: "few"}}
	bare := f
	bare.samples = nil
	for name, page := range map[string][]byte{"samples": f.page(t), "bare": bare.page(t), "targets": severalTargets(t).page(t), "cohort": newCohort(t, 120).page(t), "cohorts": severalCohorts(t).page(t)} {
		tb := openTab(t)
		tb.open(page)
		if bad := eval[[]string](tb, unreadable); len(bad) > 0 {
			t.Errorf("%s: %s", name, strings.Join(bad, "\n"))
		}
		if name == "bare" {
			eval[bool](tb, `(() => { document.querySelector("caption").remove(); document.querySelector("h2").remove(); return true; })()`)
			if bad := eval[[]string](tb, unreadable); len(bad) == 0 {
				t.Error("a caption and a heading are gone: want it found")
			}
		}
	}
}

// Nothing is wider than the window, and no labels of an axis touch each other.
const untidy = `(() => {
  const bad = [], wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > wide) {
    for (const e of document.querySelectorAll("body *")) if (e.getBoundingClientRect().right > wide + 1 && !e.closest(".scroll") && e.checkVisibility()) { bad.push("too wide: " + e.outerHTML.slice(0, 90)); break; }
    if (!bad.length) bad.push("the page scrolls sideways");
  }
  for (const a of document.querySelectorAll("svg.axis")) {
    const boxes = [...a.querySelectorAll("text")].map(t => t.getBoundingClientRect()).filter(b => b.width);
    for (let i = 1; i < boxes.length; i++) if (boxes[i].left < boxes[i - 1].right + 1) bad.push("labels touch: " + a.textContent + " in " + a.closest("table, figure").outerHTML.slice(0, 60));
  }
  for (const r of document.querySelectorAll(".fall tbody tr, .spans tbody tr, .classes tbody tr")) {
    const boxes = [...r.querySelectorAll("th, td.num")].map(c => { const g = document.createRange(); g.selectNodeContents(c); return g.getBoundingClientRect(); }).filter(b => b.width);
    for (let i = 0; i < boxes.length; i++) for (let j = 0; j < i; j++) {
      const a = boxes[i], b = boxes[j];
      if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1) bad.push("texts overlap: " + r.textContent);
    }
  }
  return [...new Set(bad)];
})()`

func TestTidy(t *testing.T) {
	var twelve, thirty []string
	for i := range 12 {
		twelve = append(twelve, fmt.Sprintf("modality_%02d_%s", i, strings.Repeat("x", 28))) // 40 letters, no break
	}
	for i := range 30 {
		thirty = append(thirty, fmt.Sprintf("a class of patients, number %02d, long one", i))
	}
	many := newFixture(t, 300, twelve, thirty).withOrders(t, 3)
	copy(many.samples.IDs, hostile)
	many.samples.IDs[8] = strings.Repeat("long", 30)
	for name, page := range map[string][]byte{
		"two": newFixture(t, 50, []string{"image", "ecg"}, []string{"home"}).page(t), "three": newFixture(t, 50, []string{"image", "ecg", "labs"}, []string{"home", "ward"}).page(t),
		"six": newFixture(t, 50, strings.Split("abcdef", ""), nil).withOrders(t, 4).page(t), "twelve": many.page(t), "targets": severalTargets(t).page(t), "hostile": hostileFixture(t).page(t),
		"cohort": newCohort(t, 120).page(t), "cohorts": severalCohorts(t).page(t),
	} {
		tb := openTab(t)
		tb.open(page)
		for _, width := range []int64{360, 768, 1440} {
			tb.size(width, 900, "light")
			eval[bool](tb, `(() => { for (const d of document.querySelectorAll("details")) d.open = true; return true; })()`)
			if bad := eval[[]string](tb, untidy); len(bad) > 0 {
				t.Errorf("%s at %d: %s", name, width, strings.Join(bad, "\n"))
			}
		}
		if name == "two" {
			eval[bool](tb, `(() => { document.querySelector("h1").style.width = "200vw"; document.querySelectorAll(".axis text").forEach(t => t.setAttribute("x", "5%")); return true; })()`)
			if bad := eval[[]string](tb, untidy); len(bad) < 2 {
				t.Errorf("a heading too wide and labels on each other: want both found, got %v", bad)
			}
		}
	}
}

func TestDark(t *testing.T) {
	page := newFixture(t, 20, []string{"image", "ecg"}, nil).page(t)
	tb := openTab(t)
	tb.open(page)
	// The contrast of text with its ground, by WCAG 2.2: 4.5 to 1 at least.
	const contrast = `(() => {
	  const parse = c => { const d = document.createElement("canvas").getContext("2d"); d.fillStyle = c; d.fillRect(0, 0, 1, 1); return [...d.getImageData(0, 0, 1, 1).data].slice(0, 3).map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); };
	  const light = c => { const [r, g, b] = parse(c); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
	  const s = getComputedStyle(document.documentElement), v = n => s.getPropertyValue(n);
	  return ["--ink", "--soft", "--link"].map(n => Math.min(...["--paper", "--wash", "--faint"].map(g => ratio(v(n), v(g))))).concat(["--alone", "--pair"].map(n => ratio(v(n), v("--paper")) * 1.5));
	})()`
	var papers []string
	for _, scheme := range []string{"light", "dark"} {
		tb.size(1024, 800, scheme)
		papers = append(papers, eval[string](tb, `getComputedStyle(document.body).backgroundColor`))
		for i, got := range eval[[]float64](tb, contrast) {
			if got < 4.5 {
				t.Errorf("%s: want a contrast of 4.5, got %.2f for colour %d", scheme, got, i)
			}
		}
	}
	if papers[0] == papers[1] {
		t.Errorf("want another ground in the dark, got %v", papers)
	}
}

// What is folded is printed, and folded again after.
func TestPrint(t *testing.T) {
	f := newFixture(t, 20, []string{"image", "ecg", "labs"}, []string{"home", "ward"})
	tb := openTab(t)
	address := tb.open(f.page(t))
	eval[bool](tb, `(() => { addEventListener("beforeprint", () => { window.shut = document.querySelectorAll("details:not([open])").length; }); return true; })()`)
	before := eval[int](tb, `document.querySelectorAll("details:not([open])").length`)
	if _, err := chromedp.Call(tb, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}); err != nil {
		t.Fatal(err)
	}
	const empty = `[...document.querySelectorAll("#t1-spread table.narrow tbody tr")].map(r => [r.lastElementChild.textContent === "0", getComputedStyle(r).display === "none"].join()).sort().filter((x, i, all) => x !== all[i - 1])`
	if got := eval[[]string](tb, empty); !slices.Equal(got, []string{"false,false", "true,true"}) {
		t.Errorf("want the histogram's empty bins, and no other, left out in print, got %q", got)
	}
	printed, err := chromedp.Run(tb, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4)))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(printed, []byte("%PDF")) || len(printed) < 20000 {
		t.Errorf("want a PDF, got %d bytes", len(printed))
	}
	if got := eval[int](tb, `window.shut`); got != 0 || before == 0 {
		t.Errorf("want nothing folded in print, got %d of %d", got, before)
	}
	if got := eval[int](tb, `document.querySelectorAll("details:not([open])").length`); got != before {
		t.Errorf("want %d folded again after, got %d", before, got)
	}
	clean(t, tb, address)
}
