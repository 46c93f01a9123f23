# Writes rma_sets.csv and rma.csv beside it: synthetic sets of studies, and what the R package
# metafor gives for each call of a macro on them. `Rscript tests/oracles/rma.R`; the values kept here
# are from metafor 3.8-1 on R 4.2.2, both from Debian 12. Iterations go on to 1e-12.
suppressMessages(library(metafor))
options(warn = -1)
set.seed(20261125)
fine <- list(threshold = 1e-12, maxiter = 10000, tol = 1e-12)
sets <- list(); rows <- list()
add <- function(y, v) {
  k <- length(y); n1 <- 5 + rpois(k, 60); n2 <- 5 + rpois(k, 50)
  a <- rbinom(k, n1, 0.15); c <- rbinom(k, n2, 0.2)
  sets[[length(sets) + 1]] <<- data.frame(set = length(sets) + 1, study = seq_len(k), yi = y, vi = v,
    xi = round(rnorm(k, 10, 4), 2), ai = a, bi = n1 - a, ci = c, di = n2 - c)
}
for (k in c(2, 3, 5, 8, 13, 20, 40)) {
  v <- round(runif(k, 0.01, 0.4), 4)
  add(round(rnorm(k, 0.3, sqrt(v + 0.1)), 4), v)
  add(round(rnorm(k, -0.2, sqrt(v) / 3), 4), v)
}
add(rep(c(0.1, 0.5), 6), rep(c(0.02, 0.02, 0.3), 4))
add(round(rnorm(10, 0, 5), 3), round(runif(10, 0.001, 0.02), 4))
add(round(rnorm(9, 1, 0.1), 3), round(10^runif(9, -4, 2), 6))
add(1000 + round(rnorm(7, 0, 0.2), 3), round(runif(7, 0.01, 0.2), 3))
add(rep(0.25, 6), round(runif(6, 0.01, 0.2), 3))

keep <- function(set, call, values) {
  values <- unlist(lapply(values, unname))
  values <- values[is.finite(values)]
  rows[[length(rows) + 1]] <<- data.frame(set = set, call = call,
    values = paste(sprintf("%s=%.12g", names(values), values), collapse = " "))
}
try_to <- function(expression) tryCatch(expression, error = function(e) NULL)
fields <- function(r) list(k = r$k, estimate = r$b[1], se = r$se[1], statistic = r$zval[1],
  p = if (is.finite(r$zval[1])) r$pval[1] else NA, ci_lower = r$ci.lb[1], ci_upper = r$ci.ub[1], tau2 = r$tau2,
  tau2_se = if (r$method %in% c("EE", "FE")) NA else r$se.tau2, I2 = r$I2, H2 = r$H2, Q = r$QE,
  Q_p = r$QEp)

for (d in sets) {
  set <- d$set[1]
  for (method in c("EE", "DL", "PM", "ML", "REML")) for (test in c("z", "knha", "adhoc", "t")) {
    r <- try_to(rma(yi, vi, data = d, method = method, test = test, control = fine))
    if (is.null(r)) next
    call <- sprintf("pool(yi, vi, method := '%s', test := '%s')", method, test)
    pi <- if (method == "EE") list() else { p <- predict(r); list(pi_lower = p$pi.lb, pi_upper = p$pi.ub) }
    keep(set, call, c(fields(r), pi))
  }
  r <- try_to(rma(yi, vi, data = d, level = 90, control = fine))
  if (is.null(r)) next
  p <- predict(r)
  keep(set, "pool(yi, vi, level := 90)", c(fields(r), pi_lower = p$pi.lb, pi_upper = p$pi.ub))
  r <- rma(yi, vi, data = d, control = fine)
  for (type in c("t", if (nrow(d) > 2) "riley")) {
    p <- predict(r, pi.type = type)
    keep(set, sprintf("pool(yi, vi, pi := '%s')", type), list(pi_lower = p$pi.lb, pi_upper = p$pi.ub))
  }
  ci <- try_to(confint(r, control = list(tol = 1e-12, maxiter = 10000, tau2.max = 1e5))$random)
  if (!is.null(ci)) keep(set, "confint_tau2(yi, vi)", list(
    tau2_lower = ci[1, 2], tau2_upper = ci[1, 3], I2_lower = ci[3, 2], I2_upper = ci[3, 3],
    H2_lower = ci[4, 2], H2_upper = ci[4, 3]))
  for (measure in c("OR", "RR", "RD")) {
    m <- rma.mh(ai, bi, ci, di, data = d, measure = measure)
    keep(set, sprintf("pool_mh(ai, bi, ci, di, measure := '%s')", measure), list(k = m$k,
      estimate = m$b[1], se = m$se, statistic = m$zval, p = m$pval, ci_lower = m$ci.lb,
      ci_upper = m$ci.ub, Q = m$QE, Q_p = m$QEp, I2 = m$I2, H2 = m$H2))
  }
  if (nrow(d) < 4 || length(unique(d$vi)) < 3) next
  for (method in c("EE", "DL", "PM", "ML", "REML")) for (test in c("z", "knha")) {
    g <- try_to(rma(yi, vi, mods = ~ xi, data = d, method = method, test = test, control = fine))
    if (is.null(g)) next
    alone <- rma(yi, vi, data = d, method = method, control = fine)
    keep(set, sprintf("regress(yi, vi, xi, method := '%s', test := '%s')", method, test), list(
      intercept = g$b[1], intercept_se = g$se[1], slope = g$b[2], slope_se = g$se[2],
      intercept_p = if (is.finite(g$zval[1])) g$pval[1] else NA,
      statistic = g$zval[2], p = if (is.finite(g$zval[2])) g$pval[2] else NA, ci_lower = g$ci.lb[2],
      ci_upper = g$ci.ub[2], tau2 = g$tau2, tau2_se = if (method == "EE") NA else g$se.tau2,
      QE = g$QE, QE_p = g$QEp, I2 = g$I2, H2 = g$H2, R2 = if (alone$tau2 > 1e-4) g$R2 else NA))
  }
  for (model in c("rma", "lm")) {
    t <- try_to(regtest(r, model = model))
    if (!is.null(t)) keep(set, sprintf("egger(yi, vi, model := '%s')", model), list(
      statistic = t$zval, p = t$pval, intercept = t$est, intercept_lower = t$ci.lb,
      intercept_upper = t$ci.ub))
  }
  l <- try_to(leave1out(r))
  if (!is.null(l)) for (i in seq_len(nrow(d))) keep(set, sprintf("leave_one_out(study, yi, vi)[%d]", i),
    list(label = d$study[i], estimate = l$estimate[i], se = l$se[i], tau2 = l$tau2[i], Q = l$Q[i],
         I2 = l$I2[i], ci_lower = l$ci.lb[i], ci_upper = l$ci.ub[i]))
}

here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)))
write.csv(do.call(rbind, sets), file.path(here, "rma_sets.csv"), row.names = FALSE, quote = FALSE)
write.csv(do.call(rbind, rows), file.path(here, "rma.csv"), row.names = FALSE, quote = c(2, 3))
