#include "identity/openssl_program.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "qsp/openssl.hpp"

namespace qsp::identity::test {

bool openssl(const std::vector<std::string>& arguments) {
  std::vector<std::string> words{OPENSSL_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    const int nowhere = ::open("/dev/null", O_RDWR);
    for (const int fd : {0, 1, 2}) ::dup2(nowhere, fd);
    ::setenv("LD_LIBRARY_PATH", OPENSSL_LIBRARY_FOLDER, 1);  // NOLINT(concurrency-mt-unsafe): one thread after fork
    ::execv(OPENSSL_PROGRAM, argv.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

crypto::Provider& provider() {
  static const auto made = [] {
    auto result = crypto::make_openssl_provider();
    if (!result) {
      ADD_FAILURE() << result.error().where;
      std::abort();
    }
    return std::move(*result);
  }();
  return *made;
}

}  // namespace qsp::identity::test
