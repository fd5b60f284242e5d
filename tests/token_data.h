/**
 * @file token_data.h  Keys and tokens that others made: openssl and PyJWT, for tests only. The
 * tokens are of `ada` called Ada for the room demo, until 2100.
 */
#ifndef TESTS_TOKEN_DATA_H
#define TESTS_TOKEN_DATA_H

/* not every test uses all */
#pragma GCC diagnostic ignored "-Wunused-variable"

static const char secret_text[] = "0123456789abcdef0123456789abcdef";

static const char rsa_private[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQCrz9L4tzQYkSd9\n"
    "AAC0eiDI8QRFJXhhuubDcjiGJk2pOh7YKIPzvJ7bQsLNIbR8ghLcNY0UAYtL10XB\n"
    "fDVBVpm7MqTqik7OGXyWNZCYHNpz1DNCoI3UeZYYl1QNBTaAYiy7j8xNRtxUvL9x\n"
    "fmVkjUBBO3scM/im/CXheDIDWa0FoujOM7Aps3A6Nrl/japx6RMOV7iv5JxbSe2Z\n"
    "/XuF32OElGVQGGe6dMaxmqCaBhlvqszVuBdAgw8UmagdmWBoBCtc70insGYSf7QM\n"
    "RajQipR6f0er6rlNgLfDqWn191FhxIX1aZaFSIWbk5F2hVXOLGQ37sJZG22NUMio\n"
    "0K8LgvfFAgMBAAECggEADLP1b8Ev318gEcxlwPJEqUa0n54pG+SzOiEgT77WQBxV\n"
    "enroYqWAA0sY1wzWaNw/I7vr3d5NW8KjXC5gS5/pBt+0NMkcEX3t6bc1JSIA/s5i\n"
    "KdtwERUaRWAu7TWE9ZIMp6N2ogIKuVMpPm1vdrNA3HHW5Nts13/OFzEJVZkUQ1XM\n"
    "YG77lGAZ8uQKVJF5BF7KrosSn8pysnz1nq8s+ERm/Kd+g0uqQC8mR3rCybn7FS1c\n"
    "oCobxmhJoIlmCe/XIfLtv3l3vyJNYWkVouxx4U4OkOaTFJpBqNE98U2FleRTh0LV\n"
    "3EwD6FVj8pkr1So0YqxeebRYHam5F75lF/co/eOIEwKBgQDv85YfL/ysmEoVf8dV\n"
    "EGHCou35RL3liOtff7T2Bj/9pgPfZgGj45VUc0uYAjVIItERdNCDKdNRgFrpvtCB\n"
    "XyovBHvIVUJLokLfUgOmxwa4JDPo6XeU35dZBdhtI7+CBHcdG6lnUaYHpRMBq7hV\n"
    "N+TfpoRHAtjKq/MYVPHpiNd5twKBgQC3TY9hTTTHb9b3tN5eKNKtTtE2HTFp0lxv\n"
    "oxqaFG6lgNBxDoHu7qcaMPCiVhqwAeJT4NOBW9CFdCyk/i/PzbPHBCU+no8mNXaZ\n"
    "0aHG+87xSZStIJRcMK8VAuWSXkFZum1Jnpx8No0bPvSqMNGEThH9mnx7Eomabcuk\n"
    "UMrh4QBKYwKBgQDOm6ERrZIVUvPHW0TZe8eRfhUGYyhXsfNpQV8hz/Pdhcsj2oNj\n"
    "CJ0WIEhg1NXoDQKT00+PAL6SGMEvLzv9iWGbJnMm5jK1STvnaoj2W7zvZUzFKfHr\n"
    "YDLDVoMqRnOpkgq2J5FQAz/AqWSaNa/8wKnz4T9YnZzptfEVbF74RPm0NQKBgHUT\n"
    "AprA9w7Sbdh0GvrE1BqBFrqbVq4h/4wF/r2egzUN2xP6kh6LKwtdarQkjpMQAQBV\n"
    "voEGpV43XzRabSsqVMKt8SPXndJnn0KLU+qFdh1CQ8V344omRg0DdqFPtimbGqZE\n"
    "uenT5bgbM6Vn3MnGG1OA0jTBGEYcDk76kzpFvSvFAoGBANYZUzIXSRS6Hl6qg+ig\n"
    "bBkcVWzyeJGs1YD/r6DssgnakTnWFi1UK3Bn/E+/SDqFAwIH+fP7d3oYmuFRsIEQ\n"
    "7PeTyd9EROaTvlFIIW/W7dM1EBnSmud0bw8yk5idIuUS3AJYnjH8+cLdWo0+I2uw\n"
    "HHHum3Xab1mP2udTU/1ay0eA\n"
    "-----END PRIVATE KEY-----\n";

static const char rsa_public[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAq8/S+Lc0GJEnfQAAtHog\n"
    "yPEERSV4Ybrmw3I4hiZNqToe2CiD87ye20LCzSG0fIIS3DWNFAGLS9dFwXw1QVaZ\n"
    "uzKk6opOzhl8ljWQmBzac9QzQqCN1HmWGJdUDQU2gGIsu4/MTUbcVLy/cX5lZI1A\n"
    "QTt7HDP4pvwl4XgyA1mtBaLozjOwKbNwOja5f42qcekTDle4r+ScW0ntmf17hd9j\n"
    "hJRlUBhnunTGsZqgmgYZb6rM1bgXQIMPFJmoHZlgaAQrXO9Ip7BmEn+0DEWo0IqU\n"
    "en9Hq+q5TYC3w6lp9fdRYcSF9WmWhUiFm5ORdoVVzixkN+7CWRttjVDIqNCvC4L3\n"
    "xQIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

static const char ec_private[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg5mH84e6kZP3d8PXP\n"
    "Xz7jAVpFOWEh7laysEw9EuP4R1+hRANCAAS32YNAbwmB3oiFPp6IuMX6GZ98QZzT\n"
    "f/KzRznXKtSnbaizbev+WRQHxliP3WF3HPqFz+Fn1x161NUkRJPlRAAP\n"
    "-----END PRIVATE KEY-----\n";

static const char ec_public[] = "-----BEGIN PUBLIC KEY-----\n"
                                "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEt9mDQG8Jgd6IhT6eiLjF+hmffEGc\n"
                                "03/ys0c51yrUp22os23r/lkUB8ZYj91hdxz6hc/hZ9cdetTVJEST5UQADw==\n"
                                "-----END PUBLIC KEY-----\n";

static const char rsa_1024[] = "-----BEGIN PUBLIC KEY-----\n"
                               "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDDP4Xij/Cka2BKQaid21x+7hJw\n"
                               "OS6+pa+qLKQjutD2bKR42E0i+WJkY2IGZvNkTMiQhDVi9gV9vI8iqSYNiPKY7Vbz\n"
                               "tulkHND/Ex4o4prcCyWGdu+OhgI3j1Tm2Dkkwp5YgmkIQY2KeBHY2+g/rcHDKwj3\n"
                               "PnOHaBHRe1KoUU1KpQIDAQAB\n"
                               "-----END PUBLIC KEY-----\n";

static const char p384_public[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAER/5Ro9hNAbc0WfWErEJwHre6xm2x5eD4\n"
    "AVHlKdZxKijbJBF4ydyC1d9d4DBpdhh+qBgxYRjbt/U5AL5j7vH/qfvl+lcq0lY7\n"
    "MiUE5CgV9q+fDynhu9oUkVgvG+pOPx6i\n"
    "-----END PUBLIC KEY-----\n";

static const char jwks_text[] =
    "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"r1\",\"use\":\"sig\",\"alg\":\"RS256\",\"n\":\"q8_S-Lc0GJEnfQAAtHogyPEE"
    "RSV4Ybrmw3I4hiZNqToe2CiD87ye20LCzSG0fIIS3DWNFAGLS9dFwXw1QVaZuzKk6opOzhl8ljWQmBzac9QzQqCN"
    "1HmWGJdUDQU2gGIsu4_MTUbcVLy_cX5lZI1AQTt7HDP4pvwl4XgyA1mtBaLozjOwKbNwOja5f42qcekTDle4r-Sc"
    "W0ntmf17hd9jhJRlUBhnunTGsZqgmgYZb6rM1bgXQIMPFJmoHZlgaAQrXO9Ip7BmEn-0DEWo0IqUen9Hq-q5TYC3"
    "w6lp9fdRYcSF9WmWhUiFm5ORdoVVzixkN-7CWRttjVDIqNCvC4L3xQ\",\"e\":\"AQAB\"},{\"kty\":\"EC\",\"kid\":\"e"
    "1\",\"crv\":\"P-256\",\"x\":\"t9mDQG8Jgd6IhT6eiLjF-hmffEGc03_ys0c51yrUp20\",\"y\":\"qLNt6_5ZFAfGWI_d"
    "YXcc-oXP4WfXHXrU1SREk-VEAA8\"},{\"kty\":\"oct\",\"kid\":\"s1\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0N"
    "TY3ODlhYmNkZWY\"},{\"kty\":\"RSA\",\"kid\":\"enc\",\"use\":\"enc\",\"n\":\"AQAB\",\"e\":\"AQAB\"},{\"kty\":\"OKP"
    "\",\"kid\":\"ed\",\"crv\":\"Ed25519\",\"x\":\"AQAB\"}]}";

static const char token_hs256[] =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEiLCJuYW1lIjoiQWRhIiwiZXhwIjo0MTAyNDQ"
    "0ODAwLCJzbHVpY2UiOnsicm9vbSI6ImRlbW8ifX0.iEiUOLlEDmsvgbr_-HQWSAU5N9yh754dHKiq8BDtT5U";

static const char token_hs256_kid[] =
    "eyJhbGciOiJIUzI1NiIsImtpZCI6InMxIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhZGEiLCJuYW1lIjoiQWRhIiwi"
    "ZXhwIjo0MTAyNDQ0ODAwLCJzbHVpY2UiOnsicm9vbSI6ImRlbW8ifX0.RNNpO9KBScQox3N7Eyows5GyKCm7uxBv"
    "dfFsm4NdNBs";

static const char token_rs256[] =
    "eyJhbGciOiJSUzI1NiIsImtpZCI6InIxIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhZGEiLCJuYW1lIjoiQWRhIiwi"
    "ZXhwIjo0MTAyNDQ0ODAwLCJzbHVpY2UiOnsicm9vbSI6ImRlbW8ifX0.FeWfh_4bstFmArh-DvwPe4LnzmKho2qX"
    "iQObHPuImNdHk77DohX9ip61c5tAVtSvybalyrtEyvJKPunaMC8zPtNHUich97g-ngc3h4V4ypX3hTBJBaV5Mb5v"
    "KrHQkT7L5yioSPEkRa8PA-JaH3p_rvXjwrhh8sXuHCdc0gzZ7Sw24Uk3Ow4DggnKLtamMFQTHlhnVU2_5Hsk0gpF"
    "jsieJnmON2OgnpYzP_1BT65gQLgBfPTDmRq1e9RXYA0F4x_xjU7elMIXAAH7ZYKK8wcjUv5TIzvdP-EM09eyAra8"
    "lEMSw0FtdQGs58C1rv5dxFTbj6dQnGE5xoZWe5H5SejF0g";

static const char token_es256[] =
    "eyJhbGciOiJFUzI1NiIsImtpZCI6ImUxIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhZGEiLCJuYW1lIjoiQWRhIiwi"
    "ZXhwIjo0MTAyNDQ0ODAwLCJzbHVpY2UiOnsicm9vbSI6ImRlbW8ifX0.acSjix37wpVJlrrIubvz8M-FlJQzus1_"
    "9Jb_Ou1YlZMAZpyEuwax-oIF4zhkgeeFu75ATSUR9vx47vfovwzxgA";

static const char token_hs512[] =
    "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEiLCJuYW1lIjoiQWRhIiwiZXhwIjo0MTAyNDQ"
    "0ODAwLCJzbHVpY2UiOnsicm9vbSI6ImRlbW8ifX0.5hDIX5r-QSx6r5ErjuE_Asnd6RlN6xIsneNqQ42F4eyFOCi"
    "wU0iSQOFPLPqd57wKGRw5LX6o_TqRsTwZhzbmSw";

static const char token_none[] =
    "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhZGEiLCJuYW1lIjoiQWRhIiwiZXhwIjo0MTAyNDQ0"
    "ODAwLCJzbHVpY2UiOnsicm9vbSI6ImRlbW8ifX0.";

static const char token_crit[] =
    "eyJhbGciOiJIUzI1NiIsImNyaXQiOlsiZXhwIl0sInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEiLCJuYW1lIjoiQWR"
    "hIiwiZXhwIjo0MTAyNDQ0ODAwLCJzbHVpY2UiOnsicm9vbSI6ImRlbW8ifX0.Ctygd8wdAk-IEGvbgVk0b_6x1CX"
    "Y7FRwXdiFbdBk7dU";

static const char token_confused[] =
    "eyJhbGciOiAiSFMyNTYiLCAidHlwIjogIkpXVCJ9.eyJzdWIiOiAiYWRhIiwgIm5hbWUiOiAiQWRhIiwgImV4cCI"
    "6IDQxMDI0NDQ4MDAsICJzbHVpY2UiOiB7InJvb20iOiAiZGVtbyJ9fQ.Ee80qu0K2_olvoQD3w99DvWr0e0Xjgxw"
    "erRMviVyeuo";

static const char token_later[] =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJuYmYiOjE3MDAwMDAxMDAsInNsdWljZSI6eyJyb29tIjoiZGV"
    "tbyJ9fQ.jPXkbgGfduw8HgCbsCqlHhX4mwcy0mz-Ql5l4qcLJpk";

#endif
