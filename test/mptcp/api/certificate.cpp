#include "test/mptcp/api/certificate.hpp"

#include <memory>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <catch2/catch.hpp>

namespace mptcp::api::test {

void make_certificate(boost::asio::ssl::context& server, boost::asio::ssl::context& client) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
  REQUIRE(key != nullptr);
  REQUIRE(certificate != nullptr);
  X509* const x509 = certificate.get();
  constexpr long kHour = 3'600;
  constexpr long kX509Version3 = 2;
  REQUIRE(X509_set_version(x509, kX509Version3) == 1);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
  X509_gmtime_adj(X509_getm_notBefore(x509), -kHour);
  X509_gmtime_adj(X509_getm_notAfter(x509), kHour);
  X509_set_pubkey(x509, key.get());
  X509_NAME* const name = X509_get_subject_name(x509);
  const auto* const common_name = reinterpret_cast<const unsigned char*>("hawser.test");
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common_name, -1, -1, 0);
  X509_set_issuer_name(x509, name);
  REQUIRE(X509_sign(x509, key.get(), EVP_sha256()) > 0);

  REQUIRE(SSL_CTX_use_certificate(server.native_handle(), x509) == 1);
  REQUIRE(SSL_CTX_use_PrivateKey(server.native_handle(), key.get()) == 1);
  REQUIRE(X509_STORE_add_cert(SSL_CTX_get_cert_store(client.native_handle()), x509) == 1);
}

}  // namespace mptcp::api::test
