#include "ssg/output/search.h"

#include <utf8proc.h>

#include <algorithm>
#include <map>
#include <memory>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "base/thread_pool.h"
#include "ssg/data/encode.h"
#include "ssg/markdown/html.h"
#include "ssg/site/body.h"

namespace ssg {
namespace {

constexpr uint32_t kDocShard = 500;
constexpr uint32_t kTitleScore = 20;
constexpr uint32_t kHeadingScore = 8;
constexpr uint32_t kTextScoreMax = 5;
constexpr size_t kExcerptBytes = 160;
constexpr size_t kWordBytesMax = 40;
constexpr size_t kShardBytesMax = 256 << 10;

struct Doc {
  const Page* page;
  std::string url;
  std::string heading;
  absl::string_view text;
};

// The first words of `text`, on one line.
std::string Excerpt(absl::string_view text) {
  size_t size = std::min(text.size(), kExcerptBytes);
  while (size < text.size() && size > 0 && (text[size] & 0xC0) == 0x80) --size;
  std::string excerpt(text.substr(0, size));
  for (char& c : excerpt) {
    if (c == '\n') c = ' ';
  }
  return excerpt;
}

// The records of one page: itself and each of its headings.
void AddDocs(const Site& site, const Page& page, bool full, std::vector<Doc>* docs) {
  const BodyView view = ViewBody(page.body);
  const std::string url = site.Href(page.path);
  tmpl::Arena arena;
  absl::string_view bytes = view.headings;
  auto headings = TakeBinary(&bytes, arena);
  struct Start {
    size_t offset;
    std::string url;
    std::string heading;
  };
  std::vector<Start> starts = {{0, url, ""}};
  if (headings.ok() && headings->kind() == tmpl::Kind::kList) {
    for (const tmpl::Value& heading : headings->list()) {
      if (!heading.IsDict()) continue;
      const auto get = [&](const char* key) { return heading.dict().Find(absl::string_view(key)); };
      starts.push_back({static_cast<size_t>(get("offset")->int_value()), absl::StrCat(url, "#", get("id")->text()),
                        HtmlToText(get("html")->text())});
    }
  }
  for (size_t i = 0; i < starts.size(); ++i) {
    absl::string_view text;
    if (full) {
      const size_t begin = std::min(starts[i].offset, view.text.size());
      const size_t end = i + 1 < starts.size() ? std::min(starts[i + 1].offset, view.text.size()) : view.text.size();
      text = view.text.substr(begin, std::max(begin, end) - begin);
    }
    docs->push_back({&page, std::move(starts[i].url), std::move(starts[i].heading), text});
  }
}

using Postings = std::vector<std::pair<uint32_t, uint32_t>>;  // doc, score

void IndexDoc(const Doc& doc, uint32_t id, std::vector<std::string>* words,
              absl::flat_hash_map<std::string, Postings>* index) {
  const auto add = [&](absl::string_view text, uint32_t score, uint32_t score_max) {
    words->clear();
    Tokenize(text, words);
    for (std::string& word : *words) {
      Postings& postings = (*index)[std::move(word)];
      if (postings.empty() || postings.back().first != id) postings.emplace_back(id, 0);
      if (postings.back().second < score_max) postings.back().second += score;
    }
  };
  add(doc.text, 1, kTextScoreMax);
  if (doc.heading.empty()) {
    add(doc.page->title, kTitleScore, kTitleScore * 2);
    add(doc.page->description, 2, kTitleScore * 2);
  } else {
    add(doc.heading, kHeadingScore, kHeadingScore * 2);
  }
}

void AppendPostings(absl::string_view word, const Postings& postings, std::string* out) {
  AppendJsonString(word, out);
  out->append(":[");
  for (size_t i = 0; i < postings.size(); ++i) {
    absl::StrAppend(out, i > 0 ? "," : "", postings[i].first, ",", postings[i].second);
  }
  out->push_back(']');
}

std::vector<Doc> AllDocs(const Site& site) {
  const bool full = site.config().search == SearchMode::kFull;
  std::vector<Doc> docs;
  for (const Page* page : site.pages()) {
    if (page->searchable && page->render && !page->file.empty()) AddDocs(site, *page, full, &docs);
  }
  return docs;
}

}  // namespace

void Tokenize(absl::string_view text, std::vector<std::string>* words) {
  std::string word;
  const auto flush = [&] {
    if (word.size() >= 2 && word.size() <= kWordBytesMax) words->push_back(word);
    word.clear();
  };
  for (size_t at = 0; at < text.size();) {
    const unsigned char c = static_cast<unsigned char>(text[at]);
    if (c < 0x80) {
      if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_') {
        word.push_back(static_cast<char>(c));
      } else if (c >= 'A' && c <= 'Z') {
        word.push_back(static_cast<char>(c | 32));
      } else {
        flush();
      }
      ++at;
      continue;
    }
    utf8proc_int32_t code_point;
    const utf8proc_ssize_t size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at),
                                                   static_cast<utf8proc_ssize_t>(text.size() - at), &code_point);
    if (size <= 0) {
      ++at;
      flush();
      continue;
    }
    const utf8proc_category_t category = utf8proc_category(code_point);
    if (category < UTF8PROC_CATEGORY_LU || category > UTF8PROC_CATEGORY_NO) {
      flush();
    } else {
      if (code_point >= 0x3040 && code_point <= 0xD7A3) flush();
      AppendUtf8(static_cast<uint32_t>(utf8proc_tolower(code_point)), &word);
      if (code_point >= 0x3040 && code_point <= 0xD7A3) flush();
    }
    at += static_cast<size_t>(size);
  }
  flush();
}

std::vector<std::pair<std::string, std::string>> MakeSearchIndex(const Site& site, size_t shard_bytes_max) {
  const std::vector<Doc> docs = AllDocs(site);
  constexpr size_t kGrain = 2048;
  const size_t chunks = (docs.size() + kGrain - 1) / kGrain;
  std::vector<absl::flat_hash_map<std::string, Postings>> parts(chunks);
  base::ParallelFor(chunks, base::DefaultParallelism(), [&](size_t chunk) {
    std::vector<std::string> words;
    for (size_t i = chunk * kGrain; i < std::min(docs.size(), (chunk + 1) * kGrain); ++i) {
      IndexDoc(docs[i], static_cast<uint32_t>(i), &words, &parts[chunk]);
    }
  });
  std::map<std::string, Postings> index;
  for (auto& part : parts) {  // in the order of documents
    for (auto& [word, postings] : part) {
      Postings& all = index[word];
      all.insert(all.end(), postings.begin(), postings.end());
    }
    part.clear();
  }
  std::vector<std::pair<std::string, std::string>> files;
  std::string first_terms;
  std::string shard;
  const auto flush = [&] {
    if (shard.empty()) return;
    files.emplace_back(absl::StrCat("search/terms-", files.size(), ".json"), absl::StrCat("{", shard, "}\n"));
    shard.clear();
  };
  std::string entry;
  for (const auto& [word, postings] : index) {
    entry.clear();
    AppendPostings(word, postings, &entry);
    if (shard.size() + entry.size() + 4 > shard_bytes_max) flush();
    if (shard.empty()) {
      if (!first_terms.empty()) first_terms.push_back(',');
      AppendJsonString(word, &first_terms);
    } else {
      shard.push_back(',');
    }
    shard.append(entry);
  }
  flush();
  for (size_t begin = 0; begin < docs.size(); begin += kDocShard) {
    std::string text = "[";
    for (size_t i = begin; i < std::min<size_t>(docs.size(), begin + kDocShard); ++i) {
      text.append(i > begin ? ",\n[" : "[");
      AppendJsonString(docs[i].url, &text);
      text.push_back(',');
      AppendJsonString(docs[i].page->title, &text);
      text.push_back(',');
      AppendJsonString(docs[i].heading, &text);
      text.push_back(',');
      AppendJsonString(docs[i].text.empty() ? docs[i].page->description : absl::string_view(Excerpt(docs[i].text)),
                       &text);
      text.push_back(']');
    }
    files.emplace_back(absl::StrCat("search/docs-", begin / kDocShard, ".json"), absl::StrCat(text, "]\n"));
  }
  files.emplace_back("search/index.json", absl::StrCat("{\"docs\":", docs.size(), ",\"docShard\":", kDocShard,
                                                       ",\"terms\":[", first_terms, "]}\n"));
  return files;
}

void AddSearchIndex(const Site& site, std::vector<AggregateGroup>* out) {
  if (site.config().search == SearchMode::kOff) return;
  const Facet shown = site.config().search == SearchMode::kFull ? Facet::kBody : Facet::kOutline;
  uint64_t hash = 9;
  for (const Page* page : site.pages()) {
    if (!page->file.empty()) hash = CombineHash(hash, FacetHash(*page, {Facet::kMeta, Facet::kOutline, shown}));
  }
  out->push_back({"search/", hash, [&site] { return MakeSearchIndex(site, kShardBytesMax); }});
}

}  // namespace ssg
