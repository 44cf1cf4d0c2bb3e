#include "ssg/output/html_minifier.h"

#include <string>

#include "gtest/gtest.h"

namespace ssg {
namespace {

TEST(HtmlMinifier, DropsWhatIsNotShown) {
  EXPECT_EQ(MinifyHtml("<!DOCTYPE html>\n<html>\n <head>\n  <title> A  b </title>\n </head>\n"),
            "<!DOCTYPE html><html><head><title> A  b </title></head>");
  EXPECT_EQ(MinifyHtml("<ul>\n  <li> one\n  two </li>\n  <li>x</li>\n</ul>\n"), "<ul><li>one two</li><li>x</li></ul>");
  EXPECT_EQ(MinifyHtml("<p>a</p>\n\n<!-- note -->\n<p\n  class=\"x  y\"   id=z >b</p>"),
            "<p>a</p><p class=\"x  y\" id=z>b</p>");
  EXPECT_EQ(MinifyHtml("a<br>\nb"), "a<br>b");
}

TEST(HtmlMinifier, KeepsBlanksThatAreShown) {
  EXPECT_EQ(MinifyHtml("<p><b>a</b> <i>b</i>\n<a href=x>c</a></p>"), "<p><b>a</b> <i>b</i> <a href=x>c</a></p>");
  EXPECT_EQ(MinifyHtml("a <!-- x --> b<!-- y -->c"), "a bc");
  EXPECT_EQ(MinifyHtml("<img src=a> <img src=b>"), "<img src=a> <img src=b>");
  EXPECT_EQ(MinifyHtml("one <script>x</script> two"), "one <script>x</script> two");
  EXPECT_EQ(MinifyHtml("a\xC2\xA0 \xC2\xA0 b"), "a\xC2\xA0 \xC2\xA0 b");
  EXPECT_EQ(MinifyHtml("<button> a </button> <button>b</button>"), "<button> a </button> <button>b</button>");
}

TEST(HtmlMinifier, LeavesVerbatimElementsAlone) {
  for (const std::string text :
       {"<pre>\n  a\n\n  <b> x </b> <!-- kept -->\n</pre>", "<textarea>\n a  b\n <i> \n</textarea>",
        "<script>\nif (a  <  b) s = '<p>  </p>'; // <!-- x -->\n</script>", "<style>\na  { b: 'c  d' }\n</style>",
        "<code>a  b</code>", "<svg> <text>a  b</text> <g> </g> </svg>", "<pre><pre> a </pre>  b </pre>",
        "<span style=\"white-space: pre\"> a   b </span>", "<!--[if IE]>  <p> x </p> <![endif]-->",
        "<PRE> a  b </PRE>"}) {
    EXPECT_EQ(MinifyHtml(text), text);
  }
}

TEST(HtmlMinifier, KeepsAttributesAndOddInput) {
  EXPECT_EQ(MinifyHtml("<a title='a > b  \"c\"'>x</a>"), "<a title='a > b  \"c\"'>x</a>");
  EXPECT_EQ(MinifyHtml("a < b  && c > d"), "a < b && c > d");
  EXPECT_EQ(MinifyHtml("<p>a  b <unclosed  c"), "<p>a b <unclosed  c");
  EXPECT_EQ(MinifyHtml("x  <!-- never  ends"), "x <!-- never  ends");
  EXPECT_EQ(MinifyHtml("<pre>  never  ends"), "<pre>  never  ends");
  EXPECT_EQ(MinifyHtml("<p>it's  fine</p> <p  it's>a  b</p>"), "<p>it's fine</p><p it's>a b</p>");
  EXPECT_EQ(MinifyHtml("<"), "<");
  EXPECT_EQ(MinifyHtml(""), "");
}

TEST(HtmlMinifier, IsDoneAfterOnePass) {
  const std::string once = MinifyHtml("<div> <p> a <b> b </b> </p> c <em>d</em> <pre> x </pre> </div>");
  EXPECT_EQ(MinifyHtml(once), once);
}

}  // namespace
}  // namespace ssg
