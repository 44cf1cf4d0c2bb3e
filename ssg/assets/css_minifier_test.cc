#include "ssg/assets/css_minifier.h"

#include "gtest/gtest.h"

namespace ssg {
namespace {

TEST(CssMinifier, DropsWhatMeansNothing) {
  EXPECT_EQ(MinifyCss("/* x */\na , b > c {\n  color : red ;\n  margin: 0 auto;\n}\n"),
            "a,b>c{color:red;margin:0 auto}");
  EXPECT_EQ(MinifyCss("@media (min-width: 1px) and (max-width: 2px) { a { x: y } }"),
            "@media (min-width:1px) and (max-width:2px){a{x:y}}");
}

TEST(CssMinifier, KeepsWhatMeansSomething) {
  EXPECT_EQ(MinifyCss("a :hover { width: calc(1px + 2px) }"), "a :hover{width:calc(1px + 2px)}");
  EXPECT_EQ(MinifyCss("a::before { content: \" /* no */ ; } \" }"), "a::before{content:\" /* no */ ; } \"}");
  EXPECT_EQ(MinifyCss("a { b: url( x y ) ; c: 'd  e' }"), "a{b:url( x y );c:'d  e'}");
  EXPECT_EQ(MinifyCss("/*! kept */a{}"), "/*! kept */a{}");
  EXPECT_EQ(MinifyCss("a { color: red !important }"), "a{color:red!important}");
  EXPECT_EQ(MinifyCss("@media x { a :hover { b: c } }"), "@media x{a :hover{b:c}}");
}

TEST(CssMinifier, BrokenInputEnds) {
  for (const char* css : {"/*", "\"", "a{", "url(", "\\", "}", "'\\"}) MinifyCss(css);
}

}  // namespace
}  // namespace ssg
