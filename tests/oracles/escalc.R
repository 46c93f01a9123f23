# Writes escalc.csv beside it: calls of the macros, and what the R package metafor gives for the
# same (synthetic) numbers. `Rscript tests/oracles/escalc.R`; the values kept here are from metafor
# 3.8-1 on R 4.2.2, both from Debian 12.
suppressMessages(library(metafor))
options(warn = -1)
set.seed(20261124)
rows <- list()
text <- function(x) ifelse(is.na(x), "NULL", sprintf("%.17g", x))
keep <- function(call, result) {
  ok <- is.finite(result$yi) & is.finite(result$vi)
  rows[[length(rows) + 1]] <<- data.frame(
    call = call,
    yi = ifelse(ok, sprintf("%.17g", result$yi), ""),
    vi = ifelse(ok, sprintf("%.17g", result$vi), ""))
}

k <- 14
n1 <- round(exp(runif(k, log(5), log(4000)))); n2 <- round(exp(runif(k, log(5), log(4000))))
n1[1:3] <- c(2, 3, 20); n2[1:3] <- c(2, 2, 19)
m1 <- round(rnorm(k, 5, 3), 2); m2 <- round(rnorm(k, 5, 3), 2)
sd1 <- round(runif(k, 0.3, 4), 2); sd2 <- round(runif(k, 0.3, 4), 2)
means <- paste(text(m1), text(sd1), text(n1), text(m2), text(sd2), text(n2), sep = ", ")
for (v in c("LS", "HO"))
  keep(sprintf("es_md(%s, vtype := '%s')", means, v),
       escalc("MD", m1i = m1, sd1i = sd1, n1i = n1, m2i = m2, sd2i = sd2, n2i = n2, vtype = v))
for (v in c("LS", "UB", "LS2"))
  keep(sprintf("es_smd(%s, vtype := '%s')", means, v),
       escalc("SMD", m1i = m1, sd1i = sd1, n1i = n1, m2i = m2, sd2i = sd2, n2i = n2, vtype = v))

x1 <- rbinom(k, n1, 0.2); x2 <- rbinom(k, n2, 0.3)
x1[1:6] <- c(0, 0, 4, 0, n1[5], n1[6]); x2[1:6] <- c(0, 1, 0, 0, n2[5], 3)
counts <- paste(text(x1), text(n1), text(x2), text(n2), sep = ", ")
cells <- paste(text(x1), text(n1 - x1), text(x2), text(n2 - x2), sep = ", ")
for (measure in c("RR", "OR", "RD")) for (to in c("only0", "all", "none")) for (drop in c(FALSE, TRUE))
  keep(sprintf("es_%s(%s, add_to := '%s', drop00 := %s)", tolower(measure), counts, to, tolower(drop)),
       escalc(measure, ai = x1, n1i = n1, ci = x2, n2i = n2, to = to, drop00 = drop))
for (measure in c("RR", "OR", "RD"))
  keep(sprintf("es_%s_cells(%s, add := 0.25)", tolower(measure), cells),
       escalc(measure, ai = x1, bi = n1 - x1, ci = x2, di = n2 - x2, add = 0.25))
for (measure in c("RR", "OR", "RD")) {
  keep(sprintf("es_%s(%s, add_to := 'if0all', any_zero := true)", tolower(measure), counts),
       escalc(measure, ai = x1, n1i = n1, ci = x2, n2i = n2, to = "if0all"))
  keep(sprintf("es_%s(%s, add_to := 'if0all', any_zero := false)", tolower(measure), counts[7:k]),
       escalc(measure, ai = x1[7:k], n1i = n1[7:k], ci = x2[7:k], n2i = n2[7:k], to = "if0all"))
}
keep(sprintf("es_rd(%s, vtype := 'UB')", counts),
     escalc("RD", ai = x1, n1i = n1, ci = x2, n2i = n2, vtype = "UB"))

r <- round(runif(k, -0.95, 0.95), 3); r[1:3] <- c(0, 0.999, -0.5)
rn <- paste(text(r), text(n1), sep = ", ")
keep(sprintf("es_cor(%s)", rn), escalc("COR", ri = r, ni = n1))
keep(sprintf("es_zcor(%s)", rn), escalc("ZCOR", ri = r, ni = n1))

xn <- paste(text(x1), text(n1), sep = ", ")
for (to in c("only0", "all", "none")) {
  keep(sprintf("es_plo(%s, add_to := '%s')", xn, to), escalc("PLO", xi = x1, ni = n1, to = to))
  keep(sprintf("es_pr(%s, add_to := '%s')", xn, to), escalc("PR", xi = x1, ni = n1, to = to))
}
keep(sprintf("es_pr(%s, vtype := 'UB')", xn), escalc("PR", xi = x1, ni = n1, vtype = "UB"))
keep(sprintf("es_mn(%s, %s, %s)", text(m1), text(sd1), text(n1)),
     escalc("MN", mi = m1, sdi = sd1, ni = n1))

change <- paste(text(m1), text(m2), text(sd1), text(sd2), text(n1), text(r), sep = ", ")
keep(sprintf("es_mc(%s)", change),
     escalc("MC", m1i = m1, m2i = m2, sd1i = sd1, sd2i = sd2, ni = n1, ri = r))
for (v in c("LS", "LS2")) {
  keep(sprintf("es_smcc(%s, vtype := '%s')", change, v),
       escalc("SMCC", m1i = m1, m2i = m2, sd1i = sd1, sd2i = sd2, ni = n1, ri = r, vtype = v))
  keep(sprintf("es_smcr(%s, %s, %s, %s, %s, vtype := '%s')",
               text(m1), text(m2), text(sd1), text(n1), text(r), v),
       escalc("SMCR", m1i = m1, m2i = m2, sd1i = sd1, ni = n1, ri = r, vtype = v))
}

d <- escalc("OR2DL", ai = x1, n1i = n1, ci = x2, n2i = n2)
lor <- escalc("OR", ai = x1, n1i = n1, ci = x2, n2i = n2)
keep(sprintf("{'yi': d_from_log_or(%s), 'vi': var_d_from_log_or(%s)}", text(lor$yi), text(lor$vi)), d)
D <- escalc("D2ORL", m1i = m1, sd1i = sd1, n1i = n1, m2i = m2, sd2i = sd2, n2i = n2)
sdp <- paste0("cohen_d(", means, ")")
keep(sprintf("{'yi': log_or_from_d(%s), 'vi': var_log_or_from_d(var_d(%s, %s, %s))}",
             sdp, sdp, text(n1), text(n2)), D)
z <- rnorm(k)
for (m in list(c("ZCOR", "transf.ztor"), c("PLO", "transf.ilogit"), c("RR", "exp")))
  keep(sprintf("{'yi': back('%s', %s), 'vi': 1}", m[1], text(z)),
       list(yi = sapply(z, get(m[2])), vi = rep(1, k)))

for (rho in c(0, 0.5, 0.8, -0.1)) {
  y <- round(rnorm(5), 3); v <- round(runif(5, 0.01, 0.4), 3)
  dat <- escalc("GEN", yi = y, vi = v); dat$unit <- 1
  agg <- aggregate(dat, cluster = unit, struct = "CS", rho = rho, weighted = FALSE)
  pairs <- paste(sprintf("(%s, %s)", text(y), text(v)), collapse = ", ")
  keep(sprintf("(SELECT combine_average(y, v, rho := %s) FROM (VALUES %s) AS e(y, v))",
               text(rho), pairs), agg)
}

here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)))
write.csv(do.call(rbind, rows), file.path(here, "escalc.csv"), row.names = FALSE)
