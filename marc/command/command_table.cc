// One table: parser, --help, man page with the cookbook, completions.
#include "marc/command/commands.h"
#include "marc/command/job.h"

namespace marc {
namespace {

std::vector<base::Example> Cookbook() {
  return {
      {"marc convert books.mrc -o books.xml.gz", "MARCXML, compressed; the formats go by the names"},
      {"marc convert books.mrc --to ndjson | jq .leader", "one JSON object a line"},
      {"marc convert old.mrc --coding marc8:utf8 --normalize nfc -o new.mrc", "MARC-8 to UTF-8"},
      {"marc convert list.csv --from csv --mapping list.map --to marc -o list.mrc", "a table becomes records"},
      {"marc check --level marc21 books.mrc --report problems.ndjson", "everything that is wrong, with places"},
      {"marc filter '245$a ~ /jazz/i && 008/35-37 == \"eng\"' books.mrc -o jazz.mrc", "some records"},
      {"marc select '001,245$a,650$a*' books.mrc --format tsv", "a table"},
      {"marc edit -e 'delete 9XX' -e '040$d+=\"XYZ\"' --dry-run books.mrc", "see what a script would change"},
      {"marc repair damaged.mrc -o good.mrc --rejects bad.mrc", "save what can be saved"},
      {"marc convert all.xml --oversize xml --oversize-output long.xml -o all.mrc",
       "what is too long for ISO 2709 stays MARCXML"},
      {"marc split --records 10000 books.mrc -o 'part-{}.mrc'", "part-0001.mrc and so on"},
      {"marc split --by '852$b' books.mrc -o 'at-{}.mrc'", "one file a location"},
      {"zcat books.mrc.gz | marc count --where 'exists(880)'", "how many have other scripts"},
  };
}

base::Command Sub(const char* name, const char* summary, const char* arguments, int (*run)(const base::Arguments&),
                  std::vector<base::Flag> flags = {}) {
  base::Command command;
  command.name = name;
  command.summary = summary;
  command.arguments = arguments;
  command.flags = std::move(flags);
  command.run = run;
  command.usage_error_code = kExitUsage;
  return command;
}

}  // namespace

base::Command MarcCommand() {
  base::Command command;
  command.name = "marc";
  command.summary = "read, convert, check, query and repair MARC 21 records";
  command.description =
      "Works on ISO 2709, MARCXML, MARC-in-JSON, NDJSON and MRK (MARCMaker), told apart by content, plain or "
      "compressed with gzip or zstd, from files or standard input.\n\n"
      "Records that are not changed are written bit for bit. Problems are reported with record number, control "
      "number, tag and byte offset, and what was done about them; the rest of the records is processed, unless "
      "--strict.";
  command.flags = JobFlags();
  command.usage_error_code = kExitUsage;
  command.subcommands = {
      Sub("cat", "write the records of all inputs", "[FILE]...", RunCat),
      Sub("convert", "write records in another format or coding", "[FILE]...", RunCat),
      Sub("check", "report what is wrong with records", "[FILE]...", RunCheck,
          {{.name = "level",
            .value = "LEVEL",
            .help = "how much is checked",
            .fallback = "marc21",
            .choices = {"none", "structure", "encoding", "marc21"}}}),
      Sub("stats", "count fields and subfields", "[FILE]...", RunStats, {{.name = "json", .help = "as JSON"}}),
      Sub("count", "count records", "[FILE]...", RunCount),
      Sub("print", "show records as lines", "[FILE]...", RunPrint),
      Sub("grep", "show the fields that a regular expression fits", "REGEX [FILE]...", RunGrep,
          {{.name = "ignore-case", .letter = 'i', .help = "small and capital letters are the same"}}),
      Sub("filter", "write the records for which a condition holds", "CONDITION [FILE]...", RunFilter),
      Sub("select", "write a table of parts of records", "SPEC[,SPEC]... [FILE]...", RunSelect,
          {{.name = "format", .value = "KIND", .help = "of the table", .fallback = "tsv", .choices = {"tsv", "csv"}},
           {.name = "joiner", .value = "TEXT", .help = "between several values in one cell", .fallback = "; "},
           {.name = "no-header", .help = "no row of column names"}}),
      Sub("split", "write records to several files", "[FILE]...", RunSplit,
          {{.name = "records", .value = "N", .help = "so many a file"},
           {.name = "bytes", .value = "SIZE", .help = "at most so much a file"},
           {.name = "by", .value = "SPEC", .help = "a file for each value"}}),
      Sub("edit", "change records by a script", "[FILE]...", RunEdit,
          {{.name = "expression", .letter = 'e', .value = "COMMAND", .help = "a command; may be repeated"},
           {.name = "file", .letter = 'f', .value = "FILE", .help = "commands, one a line"},
           {.name = "dry-run", .letter = 'n', .help = "show what would change"}}),
      Sub("repair", "write damaged records as well-formed ones", "[FILE]...", RunRepair),
      Sub("sample", "write records picked at random", "[FILE]...", RunSample,
          {{.name = "count", .letter = 'n', .value = "N", .help = "how many", .fallback = "10"},
           {.name = "seed", .value = "N", .help = "the same seed picks the same records", .fallback = "1"}}),
      Sub("bench", "measure reading and writing a file in memory", "FILE...", RunBench),
  };
  command.examples = Cookbook();
  command.exit_codes = {{kExitClean, "no problems"},
                        {kExitProblems, "problems were reported"},
                        {kExitIo, "an input or output could not be read or written"},
                        {kExitUsage, "the command line is wrong"}};
  command.sections = {
      {"SPECS",
       "245 (a field), 245$a$b (subfields), 245$* (all of them), 6XX (X is any character), 650[ind2=0]$a ('_' is a "
       "blank), 650[2] (the second), 008/35-37 and leader/9 (positions from 0), 650/ind2, 100$d~/^\\d{4}/ (values a "
       "regular expression fits)."},
      {"CONDITIONS",
       "SPEC (exists), SPEC == VALUE, !=, <, <=, >, >=, ^= (begins with), ~ /REGEX/i, !~; count(SPEC) > 1; "
       "exists(SPEC); "
       "joined by !, &&, || and parentheses. A test holds if it holds for any value; != and !~ if == and ~ hold for "
       "none."},
      {"EDIT COMMANDS",
       "delete SPEC; set SPEC=VALUE; set SPEC+=VALUE (one more subfield); add TAG VALUE; replace SPEC /REGEX/TEXT/gi; "
       "rename TAG TAG; rename SPEC $c; sort. Each may end in 'if CONDITION'. '$' begins a subfield, '#' a comment."},
      {"MAPPING FILES",
       "A line for each column of a table: 'COLUMN -> SPEC', 'COLUMN -> SPEC split \"|\"' for several values in a "
       "cell, "
       "'SPEC = \"TEXT\"' for what every record has, 'leader = \"TEXT\"'."},
  };
  return command;
}

}  // namespace marc
