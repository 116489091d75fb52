PYTHON ?= .venv/bin/python

.PHONY: ext
ext: ## Build the C extension in the tree
	@mkdir -p build
	@cmake -S . -B build/ext -G Ninja -DPython_EXECUTABLE=$(abspath $(PYTHON)) >build/ext.log 2>&1 || { cat build/ext.log; exit 1; }
	@cmake --build build/ext
	@cp -u build/ext/_native.abi3.so mcu/media/_native.abi3.so

.PHONY: check-c
check-c: ## The C kernels against their twins, under ASan and UBSan
	@mkdir -p build
	@cmake -S . -B build/check-c -G Ninja -DMCU_TESTS=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo >build/check-c.log 2>&1 || { cat build/check-c.log; exit 1; }
	@cmake --build build/check-c
	@build/check-c/kernel_tests
